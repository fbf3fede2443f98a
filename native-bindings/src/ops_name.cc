// What moves names: LINK, UNLINK, RMDIR, RENAME. The kernel holds the directories' locks until it
// has the answer, so changes of one directory never run side by side.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handlers.h"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

namespace twinfs {

namespace {

// An inode that is about to lose a name, held by a descriptor so that its number cannot be given
// anew before the table has it pinned.
class Victim {
 public:
  Victim(Session& session, int directory, const char* name) : session_(session) {
    fd_ = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd_ < 0 || fstat(fd_, &st) != 0) return;
    isDirectory_ = S_ISDIR(st.st_mode);
    last_ = isDirectory_ || st.st_nlink == 1;
    node_ = session.nodes.FindIno(st.st_ino);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  ~Victim() {
    if (fd_ >= 0) close(fd_);
    if (node_ != nullptr) session_.Unref(node_);
  }
  Node* Inode() const { return node_; }
  // Before the record that takes the name, under the stream lock: ops on an inode that lives on
  // without a known name must still reach the secondary.
  void BindIfNeeded() {
    if (node_ != nullptr && (!last_ || node_->opens.load() > 0)) session_.stream.Bind(node_);
  }
  // After a name is gone. Its number may be given to a new inode, unless somebody holds it.
  void PinIfGone() {
    struct stat st;
    if (node_ == nullptr || fstat(fd_, &st) != 0) return;
    livesOn_ = !isDirectory_ && st.st_nlink > 0;
    if (livesOn_) return;
    session_.nodes.Pin(node_, fd_);
    fd_ = -1;
  }

  // Under the stream lock, when its alias is gone. What a resync was to bring under the lost name
  // has to come under another; when none is known, only comparing everything finds it.
  void MarkIfLivesOn() {
    if (!livesOn_ || session_.stream.State() != StreamState::track) return;
    Node* found = node_->IsNameless() ? session_.nodes.Root() : node_;
    session_.stream.Mark(found, kMarkData | kMarkAttributes);
  }

 private:
  Session& session_;
  int fd_ = -1;
  bool livesOn_ = false;
  bool isDirectory_ = false;
  bool last_ = false;
  Node* node_ = nullptr;
};

void UnrefAll(Session& session, std::initializer_list<Node*> nodes) {
  for (Node* node : nodes) {
    if (node != nullptr) session.Unref(node);
  }
}

void RemoveName(Session& session, Request& request, bool isDirectory) {
  const char* name = request.Text(0);
  NodeHold parent(session, session.nodes.Find(request.head.nodeid));
  if (!parent) return request.Error(ESTALE);
  PathFd directory = session.nodes.OpenPath(parent.Get());
  if (!directory.Ok()) return request.Error(directory.Error());
  Victim victim(session, directory.Get(), name);
  NameChange names(parent.Get());
  if (unlinkat(directory.Get(), name, isDirectory ? AT_REMOVEDIR : 0) != 0) {
    int errnum = errno;
    names.End();
    return request.Error(errnum);
  }
  victim.PinIfGone();
  std::string_view text = name;
  Node* dropped = nullptr;
  Change change{request, Wait::name, nullptr, 0};
  session.Publish(change, {{parent.Get(), kMarkEntries, true}}, [&](bool streaming, double token) {
    if (streaming) victim.BindIfNeeded();
    if (victim.Inode() != nullptr) {
      dropped = victim.Inode()->RemoveAlias(parent.Get(), text.data(), text.size());
    }
    victim.MarkIfLivesOn();
    names.End();
    if (!streaming) return;
    Record record;
    record.kind = kUnlink;
    record.flags = isDirectory ? kFlagDirectory : 0;
    record.token = token;
    record.parent = Number(parent->id);
    session.stream.Emit(record, text);
  });
  UnrefAll(session, {dropped});
}

struct Place {
  Node* directory;
  std::string_view name;
};

// The table's side of a rename. Returns the parents whose references are to be dropped.
std::pair<Node*, Node*> MoveAliases(Session& session, Node* source, Node* target, const Place& from,
                                    const Place& to, bool exchange) {
  Node* first = nullptr;
  Node* second = nullptr;
  if (target != nullptr) {
    second = target->RemoveAlias(to.directory, to.name.data(), to.name.size());
    if (exchange) {
      session.nodes.Ref(from.directory);
      target->AddAlias(from.directory, from.name.data(), from.name.size());
    }
  }
  if (source != nullptr) {
    first = source->RemoveAlias(from.directory, from.name.data(), from.name.size());
    session.nodes.Ref(to.directory);
    source->AddAlias(to.directory, to.name.data(), to.name.size());
  }
  return {first, second};
}

void RenameName(Session& session, Request& request, uint64_t newDirectory, uint32_t flags,
                const char* name) {
  const char* newName = name + std::strlen(name) + 1;
  NodeHold parent(session, session.nodes.Find(request.head.nodeid));
  NodeHold newParent(session, session.nodes.Find(newDirectory));
  if (!parent || !newParent) return request.Error(ESTALE);
  PathFd from = session.nodes.OpenPath(parent.Get());
  PathFd to = session.nodes.OpenPath(newParent.Get());
  if (!from.Ok() || !to.Ok()) return request.Error(from.Ok() ? to.Error() : from.Error());
  bool exchange = (flags & RENAME_EXCHANGE) != 0;
  Victim source(session, from.Get(), name);
  Victim target(session, to.Get(), newName);
  NameChange names(parent.Get());
  NameChange newNames(newParent.Get());
  if (syscall(SYS_renameat2, from.Get(), name, to.Get(), newName, flags) != 0) {
    int errnum = errno;
    names.End();
    newNames.End();
    return request.Error(errnum);
  }
  if (!exchange) target.PinIfGone();
  Place old{parent.Get(), name};
  Place fresh{newParent.Get(), newName};
  std::pair<Node*, Node*> dropped;
  Change change{request, Wait::name, nullptr, 0};
  session.Publish(change,
                  {{parent.Get(), kMarkEntries, true}, {newParent.Get(), kMarkEntries, true}},
                  [&](bool streaming, double token) {
    if (streaming && !exchange) target.BindIfNeeded();
    if (session.stream.State() == StreamState::track) {
      // A resync's target knows names, not inodes: what got another name is compared with all below
      // it.
      if (source.Inode() != nullptr) session.stream.Mark(source.Inode(), kMarkData);
      if (exchange && target.Inode() != nullptr) session.stream.Mark(target.Inode(), kMarkData);
    }
    dropped = MoveAliases(session, source.Inode(), target.Inode(), old, fresh, exchange);
    target.MarkIfLivesOn();
    names.End();
    newNames.End();
    if (!streaming) return;
    Record record;
    record.kind = kRename;
    record.token = token;
    record.parent = Number(parent->id);
    record.parent2 = Number(newParent->id);
    record.f = flags;
    session.stream.Emit(record, old.name, fresh.name);
  });
  UnrefAll(session, {dropped.first, dropped.second});
}

}  // namespace

void HandleUnlink(Session& session, Request& request) { RemoveName(session, request, false); }
void HandleRmdir(Session& session, Request& request) { RemoveName(session, request, true); }

void HandleRename(Session& session, Request& request) {
  const auto& in = request.Arg<abi::RenameIn>();
  RenameName(session, request, in.newDir, 0, request.Text(sizeof(in)));
}

void HandleRename2(Session& session, Request& request) {
  const auto& in = request.Arg<abi::Rename2In>();
  RenameName(session, request, in.newDir, in.flags, request.Text(sizeof(in)));
}

void HandleLink(Session& session, Request& request) {
  const auto& in = request.Arg<abi::LinkIn>();
  const char* name = request.Text(sizeof(in));
  NodeHold parent(session, session.nodes.Find(request.head.nodeid));
  NodeHold node(session, session.nodes.Find(in.oldNodeid));
  if (!parent || !node) return request.Error(ESTALE);
  PathFd directory = session.nodes.OpenPath(parent.Get());
  PathFd inode = session.nodes.OpenPath(node.Get());
  if (!directory.Ok() || !inode.Ok()) return request.Error(ESTALE);
  NameChange names(parent.Get());
  struct stat st;
  if (linkat(inode.Get(), "", directory.Get(), name, AT_EMPTY_PATH) != 0 ||
      fstat(inode.Get(), &st) != 0) {
    int errnum = errno;
    names.End();
    return request.Error(errnum);
  }
  session.nodes.Ref(node.Get());  // the kernel's lookup
  abi::EntryOut entry;
  FillEntry(session, node.Get(), st, &entry);
  std::string_view text = name;
  Change change{request, Wait::name, &entry, sizeof(entry)};
  session.Publish(change, {{parent.Get(), kMarkEntries, true}, {node.Get(), 0, false}},
                  [&](bool streaming, double token) {
    if (session.stream.State() == StreamState::track && !node->IsNameless()) {
      // Both names are listed again, so that the target finds them to be one inode.
      session.stream.Mark(node->alias.parent, kMarkEntries);
    }
    session.nodes.Ref(parent.Get());
    node->AddAlias(parent.Get(), text.data(), text.size());
    names.End();
    if (!streaming) return;
    Record record;
    record.kind = kLink;
    record.token = token;
    record.ref = Number(node->id);
    record.parent = Number(parent->id);
    session.stream.Emit(record, text);
  });
}

}  // namespace twinfs
