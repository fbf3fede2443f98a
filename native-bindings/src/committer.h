// Group commit of the local disk: one thread, rounds. A round takes everyone who waits, starts the
// write-back of all files at once, then makes each durable, and the directories whose names changed
// since the last round, so that an answered write never loses its name. Many writers share one
// round.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "node.h"

namespace twinfs {

class Session;

class Committer {
 public:
  explicit Committer(Session& session) : session_(session) {}
  void Start();
  // Finishes the current round and ends; nobody is answered any more.
  void Stop();
  // `token` is finished with kWaitLocal when `file` is durable. Takes a reference on the file.
  void Add(OpenFile* file, double token);
  // The next round makes this directory durable. Takes a reference on the node.
  void NamesChanged(Node* directory);
  // Nobody waits for rounds any more: what they were to make durable is forgotten.
  void Relax();
  // The next round starts with a syncfs: what changed before rounds were asked for is durable too.
  void SyncAllFirst();

 private:
  struct Written {
    OpenFile* file = nullptr;  // any of the inode's: one fdatasync is for all of them
    std::vector<double> tokens;
  };
  struct Round {
    std::unordered_map<const Node*, Written> files;
    std::vector<Node*> directories;
    bool syncAll = false;
  };
  void Run();
  void Commit(Round& round);
  int SyncDirectory(Node* directory);

  Session& session_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Round next_;
  bool stopping_ = false;
};

}  // namespace twinfs
