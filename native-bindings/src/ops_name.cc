// What moves names: LINK, UNLINK, RMDIR, RENAME. The kernel holds the directories' locks until it has the
// answer, so changes of one directory never run side by side.
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

// An inode that is about to lose a name, held by a descriptor so that its number cannot be given anew
// before the table has it pinned.
class Victim {
 public:
  Victim(Session& session, int directory, const char* name) : session_(session) {
    fd_ = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd_ < 0 || fstat(fd_, &st) != 0) return;
    last_ = S_ISDIR(st.st_mode) || st.st_nlink == 1;
    node_ = session.nodes.findIno(st.st_ino);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  ~Victim() {
    if (fd_ >= 0) close(fd_);
    if (node_ != nullptr) session_.unref(node_);
  }
  Node* node() const { return node_; }
  // Before the record that takes the name, under the stream lock: ops on an inode that lives on without a
  // known name must still reach the secondary.
  void bindIfNeeded() {
    if (node_ != nullptr && (!last_ || node_->opens.load() > 0)) session_.stream.bind(node_);
  }
  // After the last name is gone.
  void pinIfGone() {
    if (node_ == nullptr || !last_) return;
    session_.nodes.pin(node_, fd_);
    fd_ = -1;
  }

 private:
  Session& session_;
  int fd_ = -1;
  bool last_ = false;
  Node* node_ = nullptr;
};

void unrefAll(Session& session, std::initializer_list<Node*> nodes) {
  for (Node* node : nodes) {
    if (node != nullptr) session.unref(node);
  }
}

void removeName(Session& session, Request& request, bool isDirectory) {
  const char* name = request.text(0);
  NodeHold parent(session, session.nodes.find(request.head.nodeid));
  if (!parent) return request.error(ESTALE);
  PathFd directory = session.nodes.fd(parent.get());
  if (!directory.ok()) return request.error(directory.error());
  Victim victim(session, directory.get(), name);
  NameChange names(parent.get());
  if (unlinkat(directory.get(), name, isDirectory ? AT_REMOVEDIR : 0) != 0) {
    int errnum = errno;
    names.end();
    return request.error(errnum);
  }
  victim.pinIfGone();
  std::string_view text = name;
  Node* dropped = nullptr;
  Change change{request, Wait::name, nullptr, 0};
  session.publish(change, {{parent.get(), kMarkEntries, true}}, [&](bool streaming, double token) {
    if (streaming) victim.bindIfNeeded();
    if (victim.node() != nullptr) {
      dropped = victim.node()->removeAlias(parent.get(), text.data(), text.size());
    }
    names.end();
    if (!streaming) return;
    Record record;
    record.kind = kUnlink;
    record.flags = isDirectory ? kFlagDirectory : 0;
    record.token = token;
    record.parent = number(parent->id);
    session.stream.emit(record, text);
  });
  unrefAll(session, {dropped});
}

struct Place {
  Node* directory;
  std::string_view name;
};

// The table's side of a rename. Returns the parents whose references are to be dropped.
std::pair<Node*, Node*> moveAliases(Session& session, Node* source, Node* target, const Place& from,
                                    const Place& to, bool exchange) {
  Node* first = nullptr;
  Node* second = nullptr;
  if (target != nullptr) {
    second = target->removeAlias(to.directory, to.name.data(), to.name.size());
    if (exchange) {
      session.nodes.ref(from.directory);
      target->addAlias(from.directory, from.name.data(), from.name.size());
    }
  }
  if (source != nullptr) {
    first = source->removeAlias(from.directory, from.name.data(), from.name.size());
    session.nodes.ref(to.directory);
    source->addAlias(to.directory, to.name.data(), to.name.size());
  }
  return {first, second};
}

void renameName(Session& session, Request& request, uint64_t newDirectory, uint32_t flags,
                const char* name) {
  const char* newName = name + std::strlen(name) + 1;
  NodeHold parent(session, session.nodes.find(request.head.nodeid));
  NodeHold newParent(session, session.nodes.find(newDirectory));
  if (!parent || !newParent) return request.error(ESTALE);
  PathFd from = session.nodes.fd(parent.get());
  PathFd to = session.nodes.fd(newParent.get());
  if (!from.ok() || !to.ok()) return request.error(from.ok() ? to.error() : from.error());
  bool exchange = (flags & RENAME_EXCHANGE) != 0;
  Victim source(session, from.get(), name);
  Victim target(session, to.get(), newName);
  NameChange names(parent.get());
  NameChange newNames(newParent.get());
  if (syscall(SYS_renameat2, from.get(), name, to.get(), newName, flags) != 0) {
    int errnum = errno;
    names.end();
    newNames.end();
    return request.error(errnum);
  }
  if (!exchange) target.pinIfGone();
  Place old{parent.get(), name};
  Place fresh{newParent.get(), newName};
  std::pair<Node*, Node*> dropped;
  Change change{request, Wait::name, nullptr, 0};
  session.publish(change,
                  {{parent.get(), kMarkEntries, true}, {newParent.get(), kMarkEntries, true}},
                  [&](bool streaming, double token) {
    if (streaming && !exchange) target.bindIfNeeded();
    if (session.stream.state() == StreamState::track) {
      // A resync's target knows names, not inodes: what got another name is compared with all below it.
      if (source.node() != nullptr) session.stream.mark(source.node(), kMarkData);
      if (exchange && target.node() != nullptr) session.stream.mark(target.node(), kMarkData);
    }
    dropped = moveAliases(session, source.node(), target.node(), old, fresh, exchange);
    names.end();
    newNames.end();
    if (!streaming) return;
    Record record;
    record.kind = kRename;
    record.token = token;
    record.parent = number(parent->id);
    record.parent2 = number(newParent->id);
    record.f = flags;
    session.stream.emit(record, old.name, fresh.name);
  });
  unrefAll(session, {dropped.first, dropped.second});
}

}  // namespace

void handleUnlink(Session& session, Request& request) { removeName(session, request, false); }
void handleRmdir(Session& session, Request& request) { removeName(session, request, true); }

void handleRename(Session& session, Request& request) {
  const auto& in = request.arg<abi::RenameIn>();
  renameName(session, request, in.newDir, 0, request.text(sizeof(in)));
}

void handleRename2(Session& session, Request& request) {
  const auto& in = request.arg<abi::Rename2In>();
  renameName(session, request, in.newDir, in.flags, request.text(sizeof(in)));
}

void handleLink(Session& session, Request& request) {
  const auto& in = request.arg<abi::LinkIn>();
  const char* name = request.text(sizeof(in));
  NodeHold parent(session, session.nodes.find(request.head.nodeid));
  NodeHold node(session, session.nodes.find(in.oldNodeid));
  if (!parent || !node) return request.error(ESTALE);
  PathFd directory = session.nodes.fd(parent.get());
  PathFd inode = session.nodes.fd(node.get());
  if (!directory.ok() || !inode.ok()) return request.error(ESTALE);
  NameChange names(parent.get());
  struct stat st;
  if (linkat(inode.get(), "", directory.get(), name, AT_EMPTY_PATH) != 0 ||
      fstat(inode.get(), &st) != 0) {
    int errnum = errno;
    names.end();
    return request.error(errnum);
  }
  session.nodes.ref(node.get());  // the kernel's lookup
  abi::EntryOut entry;
  fillEntry(session, node.get(), st, &entry);
  std::string_view text = name;
  Change change{request, Wait::name, &entry, sizeof(entry)};
  session.publish(change, {{parent.get(), kMarkEntries, true}, {node.get(), 0, false}},
                  [&](bool streaming, double token) {
    if (session.stream.state() == StreamState::track && !node->isNameless()) {
      // Both names are listed again, so that the target finds them to be one inode.
      session.stream.mark(node->alias.parent, kMarkEntries);
    }
    session.nodes.ref(parent.get());
    node->addAlias(parent.get(), text.data(), text.size());
    names.end();
    if (!streaming) return;
    Record record;
    record.kind = kLink;
    record.token = token;
    record.ref = number(node->id);
    record.parent = number(parent->id);
    session.stream.emit(record, text);
  });
}

}  // namespace twinfs
