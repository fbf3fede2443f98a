// Extended attributes. The mark on the root (trusted.twinfs) is the program's own: hidden and
// untouchable.
#include <errno.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>

#include "handlers.h"

namespace twinfs {

namespace {

constexpr std::string_view kOwnMark = "trusted.twinfs";
constexpr std::string_view kTrusted = "trusted.";
constexpr size_t kListMax = 64 * 1024;  // XATTR_LIST_MAX and XATTR_SIZE_MAX

// Answers `bytes` bytes, or their number when the caller asked for that (size 0).
void ReplySized(Request& request, const void* data, size_t bytes, uint32_t size) {
  if (size == 0) {
    abi::GetxattrOut out = {static_cast<uint32_t>(bytes), 0};
    return request.Reply(&out, sizeof(out));
  }
  if (bytes > size) return request.Error(ERANGE);
  request.Reply(data, bytes);
}

// Takes names the caller must not see out of a list; returns what is left.
size_t FilterNames(char* list, size_t bytes, bool privileged) {
  size_t kept = 0;
  for (size_t at = 0; at < bytes;) {
    std::string_view name(list + at);
    size_t length = name.size() + 1;
    bool hidden = name == kOwnMark || (!privileged && name.substr(0, kTrusted.size()) == kTrusted);
    if (!hidden) {
      std::memmove(list + kept, list + at, length);
      kept += length;
    }
    at += length;
  }
  return kept;
}

}  // namespace

void HandleGetxattr(Session& session, Request& request) {
  const auto& in = request.Arg<abi::GetxattrIn>();
  const char* name = request.Text(sizeof(in));
  if (name == kOwnMark) return request.Error(ENODATA);
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd path = session.nodes.OpenPath(node.Get());
  if (!path.Ok()) return request.Error(path.Error());
  uint8_t* value = request.worker.Scratch();
  size_t room = in.size == 0 ? 0 : std::min<size_t>(in.size, kScratchBytes);
  ssize_t bytes = getxattr(ProcPath(path.Get()).Get(), name, value, room);
  if (bytes < 0) return request.Error(errno);
  ReplySized(request, value, static_cast<size_t>(bytes), in.size);
}

void HandleListxattr(Session& session, Request& request) {
  const auto& in = request.Arg<abi::GetxattrIn>();
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd path = session.nodes.OpenPath(node.Get());
  if (!path.Ok()) return request.Error(path.Error());
  char* list = reinterpret_cast<char*>(request.worker.Scratch());
  ssize_t bytes = listxattr(ProcPath(path.Get()).Get(), list, kListMax);
  if (bytes < 0) return request.Error(errno);
  size_t kept = FilterNames(list, static_cast<size_t>(bytes), request.head.uid == 0);
  ReplySized(request, list, kept, in.size);
}

void HandleSetxattr(Session& session, Request& request) {
  const auto& in = request.Arg<abi::SetxattrIn>();
  size_t header = session.setxattrExtended ? sizeof(in) : abi::kSetxattrCompatBytes;
  const char* name = request.Text(header);
  if (name == kOwnMark) return request.Error(EPERM);
  const char* value = name + std::strlen(name) + 1;
  bool killSgid =
      session.setxattrExtended && (in.setxattrFlags & abi::kSetxattrAclKillSgid) != 0;
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd path = session.nodes.OpenPath(node.Get());
  if (!path.Ok()) return request.Error(path.Error());
  RangeGuard guard(session.ranges, node.Get(), 0, kWholeFile);
  ProcPath proc(path.Get());
  if (setxattr(proc.Get(), name, value, in.size, static_cast<int>(in.flags)) != 0) {
    int errnum = errno;
    guard.Release();
    return request.Error(errnum);
  }
  struct stat st;
  if (killSgid && fstat(path.Get(), &st) == 0 && (st.st_mode & S_ISGID) != 0) {
    // A chmod of one's own ACL: outside the file's group it loses set-group-id.
    killSgid = chmod(proc.Get(), st.st_mode & 05777) == 0 && fstat(path.Get(), &st) == 0;
  } else {
    killSgid = false;
  }
  Change change{request, Wait::name, nullptr, 0, &guard};
  session.Publish(change, {{node.Get(), kMarkAttributes, false}},
                  [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kSetxattr;
    record.token = killSgid ? 0 : token;
    record.ref = Number(node->id);
    record.f = in.flags;
    session.stream.Emit(record, name, {}, {value, in.size});
    if (!killSgid) return;
    Record mode;
    mode.kind = kSetattr;
    mode.token = token;
    mode.ref = Number(node->id);
    mode.c = st.st_mode;
    mode.d = st.st_uid;
    mode.e = st.st_gid;
    session.stream.Emit(mode);
  });
}

void HandleRemovexattr(Session& session, Request& request) {
  const char* name = request.Text(0);
  if (name == kOwnMark) return request.Error(EPERM);
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd path = session.nodes.OpenPath(node.Get());
  if (!path.Ok()) return request.Error(path.Error());
  RangeGuard guard(session.ranges, node.Get(), 0, kWholeFile);
  if (removexattr(ProcPath(path.Get()).Get(), name) != 0) {
    int errnum = errno;
    guard.Release();
    return request.Error(errnum);
  }
  Change change{request, Wait::name, nullptr, 0, &guard};
  session.Publish(change, {{node.Get(), kMarkAttributes, false}},
                  [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kRemovexattr;
    record.token = token;
    record.ref = Number(node->id);
    session.stream.Emit(record, name);
  });
}

}  // namespace twinfs
