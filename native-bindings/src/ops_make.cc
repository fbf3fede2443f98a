// What makes inodes: CREATE, MKNOD, MKDIR, SYMLINK. The system call runs with the caller's identity and
// umask, so that owner, group, set-group-id and default ACLs come out as if the caller had made it here.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers.h"

namespace twinfs {

namespace {

// Runs `call` (0 or more is success, else errno is set) as the caller.
template <class Call>
int asCaller(const Request& request, Call&& call) {
  Credentials caller(request);
  int result = call();
  if (result < 0 && (errno == EACCES || errno == EPERM)) {
    // The kernel allowed it: the caller has capabilities beyond its uid.
    caller.override();
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
void publishMade(Session& session, Request& request, const Made& made, NameChange& names,
                 const void* reply, size_t replyBytes) {
  Node* parent = made.parent.get();
  Node* node = made.node;
  Change change{request, Wait::name, reply, replyBytes};
  session.publish(change, {{parent, kMarkEntries, true}}, [&](bool streaming, double token) {
    session.nodes.ref(parent);
    node->addAlias(parent, made.name.data(), made.name.size());
    names.end();
    if (session.stream.state() == StreamState::track) {
      session.stream.mark(node, kMarkData | kMarkAttributes);
    }
    if (!streaming) return;
    session.stream.born(node);
    session.times.touch(node);
    Record record;
    record.kind = kCreate;
    record.token = token;
    record.ref = number(node->id);
    record.parent = number(parent->id);
    record.c = made.st.st_mode;
    record.d = made.st.st_uid;
    record.e = made.st.st_gid;
    record.f = static_cast<uint32_t>(made.st.st_rdev);
    session.stream.emit(record, made.name, {}, made.target);
  });
}

// The common end of MKNOD, MKDIR and SYMLINK: `call(directory)` makes the name.
template <class Call>
void make(Session& session, Request& request, const char* name, const char* target, Call&& call) {
  NodeHold parent(session, session.nodes.find(request.head.nodeid));
  if (!parent) return request.error(ESTALE);
  PathFd directory = session.nodes.fd(parent.get());
  if (!directory.ok()) return request.error(directory.error());
  NameChange names(parent.get());
  int result = asCaller(request, [&] { return call(directory.get()); });
  if (result < 0) {
    names.end();
    return request.error(-result);
  }
  int fd = openat(directory.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  Made made{parent, name, target, nullptr, {}};
  if (fd < 0 || fstat(fd, &made.st) != 0) {
    int errnum = errno;
    if (fd >= 0) close(fd);
    names.end();
    return request.error(errnum);
  }
  bool kept = false;
  made.node = session.nodes.adopt(fd, made.st, &kept);
  if (!kept) close(fd);
  abi::EntryOut entry;
  fillEntry(session, made.node, made.st, &entry);
  publishMade(session, request, made, names, &entry, sizeof(entry));
}

struct CreateReply {
  abi::EntryOut entry;
  abi::OpenOut open;
};

// The name appeared without the kernel's knowledge; O_CREAT then just opens it.
void openExisting(Session& session, Request& request, Node* parent, const char* name) {
  const auto& in = request.arg<abi::CreateIn>();
  CreateReply reply = {};
  int errnum = lookupName(session, parent, name, &reply.entry);
  if (errnum != 0) return request.error(errnum);
  NodeHold node(session, session.nodes.find(reply.entry.nodeid));
  int fd = openNode(session, node.get(), backingFlags(session, in.flags));
  if (fd < 0) {
    session.unref(node.get());  // the lookup the kernel will not hear of
    return request.error(-fd);
  }
  reply.open.fh = reinterpret_cast<uint64_t>(makeOpenFile(session, fd, node.get()));
  reply.open.openFlags = openReplyFlags(session, in.flags);
  request.reply(&reply, sizeof(reply));
}

}  // namespace

void handleCreate(Session& session, Request& request) {
  const auto& in = request.arg<abi::CreateIn>();
  const char* name = request.text(sizeof(in));
  NodeHold parent(session, session.nodes.find(request.head.nodeid));
  if (!parent) return request.error(ESTALE);
  PathFd directory = session.nodes.fd(parent.get());
  if (!directory.ok()) return request.error(directory.error());
  NameChange names(parent.get());
  request.worker.useUmask(in.umask & 0777);
  int flags = backingFlags(session, in.flags) | O_CREAT | O_EXCL | O_NOFOLLOW;
  int fd = asCaller(request,
                    [&] { return openat(directory.get(), name, flags, in.mode & 07777); });
  if (fd < 0) {
    names.end();
    if (fd == -EEXIST && (in.flags & (O_EXCL | O_TRUNC)) == 0) {
      return openExisting(session, request, parent.get(), name);
    }
    return request.error(-fd);
  }
  Made made{parent, name, {}, nullptr, {}};
  if (fstat(fd, &made.st) != 0) {
    int errnum = errno;
    close(fd);
    names.end();
    return request.error(errnum);
  }
  made.node = session.nodes.adopt(fd, made.st, nullptr);
  CreateReply reply = {};
  fillEntry(session, made.node, made.st, &reply.entry);
  reply.open.fh = reinterpret_cast<uint64_t>(makeOpenFile(session, fd, made.node));
  reply.open.openFlags = openReplyFlags(session, in.flags);
  publishMade(session, request, made, names, &reply, sizeof(reply));
}

void handleMknod(Session& session, Request& request) {
  const auto& in = request.arg<abi::MknodIn>();
  const char* name = request.text(sizeof(in));
  request.worker.useUmask(in.umask & 0777);
  make(session, request, name, "",
       [&](int directory) { return mknodat(directory, name, in.mode, in.rdev); });
}

void handleMkdir(Session& session, Request& request) {
  const auto& in = request.arg<abi::MkdirIn>();
  const char* name = request.text(sizeof(in));
  request.worker.useUmask(in.umask & 0777);
  make(session, request, name, "",
       [&](int directory) { return mkdirat(directory, name, in.mode & 07777); });
}

void handleSymlink(Session& session, Request& request) {
  const char* name = request.text(0);
  const char* target = name + std::strlen(name) + 1;
  make(session, request, name, target,
       [&](int directory) { return symlinkat(target, directory, name); });
}

}  // namespace twinfs
