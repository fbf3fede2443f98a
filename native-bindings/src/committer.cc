// See committer.h. One thread, so that rounds never overlap: a write answered by a later round can
// rely on everything an earlier one took, the names of its file included.
#include "committer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "handlers.h"

namespace twinfs {

void Committer::Start() {
  thread_ = std::thread([this] {
    PrepareWorkerThread();
    Run();
  });
}

void Committer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (auto& [node, written] : next_.files) session_.CloseFile(written.file);
  // Flags before references, as in every round: with the last one the node goes.
  for (Node* directory : next_.directories) directory->namesChanged = false;
  for (Node* directory : next_.directories) session_.Unref(directory);
  next_ = Round();
}

void Committer::Add(OpenFile* file, double token) {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    wake = next_.files.empty();
    Written& written = next_.files[file->node];
    if (written.file == nullptr) {
      file->refs.fetch_add(1);
      written.file = file;
    }
    written.tokens.push_back(token);
  }
  if (wake) wake_.notify_one();
}

void Committer::NamesChanged(Node* directory) {
  std::lock_guard lock(mutex_);
  if (directory->namesChanged) return;
  directory->namesChanged = true;
  session_.nodes.Ref(directory);
  next_.directories.push_back(directory);
}

void Committer::Relax() {
  std::vector<Node*> directories;
  {
    std::lock_guard lock(mutex_);
    directories.swap(next_.directories);
    for (Node* directory : directories) directory->namesChanged = false;
  }
  for (Node* directory : directories) session_.Unref(directory);
}

void Committer::SyncAllFirst() {
  std::lock_guard lock(mutex_);
  next_.syncAll = true;
}

void Committer::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !next_.files.empty(); });
    if (stopping_) return;
    Round round = std::move(next_);
    next_ = Round();
    for (Node* directory : round.directories) directory->namesChanged = false;
    lock.unlock();
    Commit(round);
    lock.lock();
  }
}

int Committer::SyncDirectory(Node* directory) {
  int fd = OpenNode(session_, directory, O_RDONLY | O_DIRECTORY);
  // Gone meanwhile: its names need not survive.
  if (fd < 0) return 0;
  int errnum = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return errnum;
}

void Committer::Commit(Round& round) {
  int common = 0;
  if (round.syncAll && syncfs(session_.rootFd) != 0) common = errno;
  for (auto& [node, written] : round.files) {
    sync_file_range(written.file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  for (Node* directory : round.directories) {
    int errnum = SyncDirectory(directory);
    if (errnum != 0 && common == 0) common = errnum;
  }
  for (auto& [node, written] : round.files) {
    int errnum = session_.SyncFile(written.file->node, written.file->fd, true);
    if (errnum == 0) errnum = common;
    if (errnum != 0) {
      session_.Report(Notice::What::syncFailed, errnum);
      errnum = EIO;
    }
    for (double token : written.tokens) session_.pending.Finish(token, kWaitLocal, errnum);
    session_.CloseFile(written.file);
  }
  for (Node* directory : round.directories) session_.Unref(directory);
}

}  // namespace twinfs
