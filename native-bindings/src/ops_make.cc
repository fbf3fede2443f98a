// What makes inodes: CREATE, MKNOD, MKDIR, SYMLINK. The system call runs with the caller's identity
// and umask, so that owner, group, set-group-id and default ACLs come out as if the caller had made
// it here.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers.h"

namespace twinfs {

namespace {

// Runs `call` (0 or more is success, else errno is set) as the caller.
template <class Call>
int AsCaller(const Request& request, Call&& call) {
  Credentials caller(request);
  int result = call();
  if (result < 0 && (errno == EACCES || errno == EPERM)) {
    // The kernel allowed it: the caller has capabilities beyond its uid.
    caller.Override();
    result = call();
  }
  return result < 0 ? -errno : result;
}

struct Made {
  NodeHold& parent;
  std::string_view name;
  std::string_view target;
  Node* node;
  struct stat st;
};

// Puts the new inode into the stream and answers.
void PublishMade(Session& session, Request& request, const Made& made, NameChange& names,
                 const void* reply, size_t replyBytes) {
  Node* parent = made.parent.Get();
  Node* node = made.node;
  Change change{request, Wait::name, reply, replyBytes};
  session.Publish(change, {{parent, kMarkEntries, true}}, [&](bool streaming, double token) {
    session.nodes.Ref(parent);
    node->AddAlias(parent, made.name.data(), made.name.size());
    names.End();
    if (session.stream.State() == StreamState::track) {
      session.stream.Mark(node, kMarkData | kMarkAttributes);
    }
    if (!streaming) return;
    session.stream.Born(node);
    session.times.Touch(node);
    Record record;
    record.kind = kCreate;
    record.token = token;
    record.ref = Number(node->id);
    record.parent = Number(parent->id);
    record.c = made.st.st_mode;
    record.d = made.st.st_uid;
    record.e = made.st.st_gid;
    record.f = static_cast<uint32_t>(made.st.st_rdev);
    session.stream.Emit(record, made.name, {}, made.target);
  });
}

// The common end of MKNOD, MKDIR and SYMLINK: `call(directory)` makes the name.
template <class Call>
void Make(Session& session, Request& request, const char* name, const char* target, Call&& call) {
  NodeHold parent(session, session.nodes.Find(request.head.nodeid));
  if (!parent) return request.Error(ESTALE);
  PathFd directory = session.nodes.OpenPath(parent.Get());
  if (!directory.Ok()) return request.Error(directory.Error());
  NameChange names(parent.Get());
  int result = AsCaller(request, [&] { return call(directory.Get()); });
  if (result < 0) {
    names.End();
    return request.Error(-result);
  }
  int fd = openat(directory.Get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  Made made{parent, name, target, nullptr, {}};
  if (fd < 0 || fstat(fd, &made.st) != 0) {
    int errnum = errno;
    if (fd >= 0) close(fd);
    names.End();
    return request.Error(errnum);
  }
  bool kept = false;
  made.node = session.nodes.Adopt(fd, made.st, &kept);
  if (!kept) close(fd);
  abi::EntryOut entry;
  FillEntry(session, made.node, made.st, &entry);
  PublishMade(session, request, made, names, &entry, sizeof(entry));
}

struct CreateReply {
  abi::EntryOut entry;
  abi::OpenOut open;
};

// The name appeared without the kernel's knowledge; O_CREAT then just opens it.
void OpenExisting(Session& session, Request& request, Node* parent, const char* name) {
  const auto& in = request.Arg<abi::CreateIn>();
  CreateReply reply = {};
  int errnum = LookupName(session, parent, name, &reply.entry);
  if (errnum != 0) return request.Error(errnum);
  NodeHold node(session, session.nodes.Find(reply.entry.nodeid));
  int fd = OpenNode(session, node.Get(), BackingFlags(session, in.flags));
  if (fd < 0) {
    session.Unref(node.Get());  // the lookup the kernel will not hear of
    return request.Error(-fd);
  }
  reply.open.fh = reinterpret_cast<uint64_t>(MakeOpenFile(session, fd, node.Get()));
  reply.open.openFlags = OpenReplyFlags(session, in.flags);
  request.Reply(&reply, sizeof(reply));
}

}  // namespace

void HandleCreate(Session& session, Request& request) {
  const auto& in = request.Arg<abi::CreateIn>();
  const char* name = request.Text(sizeof(in));
  NodeHold parent(session, session.nodes.Find(request.head.nodeid));
  if (!parent) return request.Error(ESTALE);
  PathFd directory = session.nodes.OpenPath(parent.Get());
  if (!directory.Ok()) return request.Error(directory.Error());
  NameChange names(parent.Get());
  request.worker.UseUmask(in.umask & 0777);
  int flags = BackingFlags(session, in.flags) | O_CREAT | O_EXCL | O_NOFOLLOW;
  int fd = AsCaller(request,
                    [&] { return openat(directory.Get(), name, flags, in.mode & 07777); });
  if (fd < 0) {
    names.End();
    if (fd == -EEXIST && (in.flags & (O_EXCL | O_TRUNC)) == 0) {
      return OpenExisting(session, request, parent.Get(), name);
    }
    return request.Error(-fd);
  }
  Made made{parent, name, {}, nullptr, {}};
  if (fstat(fd, &made.st) != 0) {
    int errnum = errno;
    close(fd);
    names.End();
    return request.Error(errnum);
  }
  made.node = session.nodes.Adopt(fd, made.st, nullptr);
  CreateReply reply = {};
  FillEntry(session, made.node, made.st, &reply.entry);
  reply.open.fh = reinterpret_cast<uint64_t>(MakeOpenFile(session, fd, made.node));
  reply.open.openFlags = OpenReplyFlags(session, in.flags);
  PublishMade(session, request, made, names, &reply, sizeof(reply));
}

void HandleMknod(Session& session, Request& request) {
  const auto& in = request.Arg<abi::MknodIn>();
  const char* name = request.Text(sizeof(in));
  request.worker.UseUmask(in.umask & 0777);
  Make(session, request, name, "",
       [&](int directory) { return mknodat(directory, name, in.mode, in.rdev); });
}

void HandleMkdir(Session& session, Request& request) {
  const auto& in = request.Arg<abi::MkdirIn>();
  const char* name = request.Text(sizeof(in));
  request.worker.UseUmask(in.umask & 0777);
  Make(session, request, name, "",
       [&](int directory) { return mkdirat(directory, name, in.mode & 07777); });
}

void HandleSymlink(Session& session, Request& request) {
  const char* name = request.Text(0);
  const char* target = name + std::strlen(name) + 1;
  Make(session, request, name, target,
       [&](int directory) { return symlinkat(target, directory, name); });
}

}  // namespace twinfs
