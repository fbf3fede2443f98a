// The steps of a change under the stream lock, and what TypeScript asks of the stream.
#include <errno.h>
#include <unistd.h>

#include "session.h"

namespace twinfs {

// Binds or marks what the change concerns. True: its record goes into the stream.
bool Session::BeginChange(std::initializer_list<Touch> touches) {
  bool streaming = stream.State() == StreamState::on;
  for (const Touch& touch : touches) {
    if ((touch.mark & kMarkData) != 0) touch.node->dataSeq.fetch_add(1);
    if (streaming && !stream.Bind(touch.node)) {
      // Unlinked before this connection: nothing on the peer corresponds to it.
      streaming = false;
    } else if (stream.State() == StreamState::track && touch.mark != 0) {
      stream.Mark(touch.node, touch.mark);
    }
    if (stream.rule.syncData && (touch.mark & kMarkEntries) != 0) {
      committer.NamesChanged(touch.node);
    }
  }
  if (streaming) {
    for (const Touch& touch : touches) {
      if (touch.times) times.Touch(touch.node);
    }
  }
  return streaming;
}

Waiting Session::BeginWaiting(const Change& change, bool streaming) {
  Waiting waiting;
  uint8_t wait = 0;
  if (streaming && stream.rule.byStream && change.wait != Wait::nobody) wait |= kWaitStream;
  if (change.wait == Wait::data && stream.rule.syncData) wait |= kWaitLocal;
  if (change.wait == Wait::sync && wait != 0) wait |= kWaitLocal;
  if (wait == 0) return waiting;
  waiting.local = (wait & kWaitLocal) != 0;
  waiting.token = pending.Add(change.request.Descriptor(), change.request.head.unique, change.reply,
                              change.replyBytes, wait);
  return waiting;
}

void Session::SetStream(StreamState state) {
  std::vector<std::pair<Node*, uint8_t>> dropped;
  {
    std::lock_guard lock(stream.mutex);
    stream.SetState(state);
    if (state != StreamState::track) dropped = stream.TakeMarks();
  }
  for (const auto& [node, bits] : dropped) Unref(node);
  WakeParked();
}

void Session::SetAnswer(AnswerRule rule) {
  {
    std::lock_guard lock(stream.mutex);
    // Names and data from before were nobody's duty in rounds; the first one takes everything.
    if (rule.syncData && !stream.rule.syncData) committer.SyncAllFirst();
    stream.rule = rule;
  }
  if (!rule.syncData) committer.Relax();
}

void Session::Credit(uint64_t bytes) {
  if (stream.handoff.Credit(bytes)) WakeParked();
}

std::vector<std::pair<Node*, uint8_t>> Session::TakeMarks() {
  std::vector<std::pair<Node*, uint8_t>> taken;
  {
    std::lock_guard lock(stream.mutex);
    taken = stream.TakeMarks();
  }
  std::vector<Node*> held;
  held.reserve(taken.size());
  for (const auto& [node, bits] : taken) held.push_back(node);
  {
    std::lock_guard lock(marksMutex_);
    held.swap(marksHeld_);
  }
  for (Node* node : held) Unref(node);
  return taken;
}

void Session::AddMark(uint64_t ref, uint8_t bits) {
  NodeHold node(*this, nodes.Find(ref));
  if (!node) return;
  std::lock_guard lock(stream.mutex);
  if (stream.State() == StreamState::track) stream.Mark(node.Get(), bits);
}

bool Session::PathOf(uint64_t ref, std::string* path) {
  NodeHold node(*this, nodes.Find(ref));
  if (!node) return false;
  std::lock_guard lock(stream.mutex);
  return stream.PathOf(node.Get(), path);
}

void Session::Unref(Node* node, uint64_t count) {
  std::vector<Node*> gone;
  if (nodes.Unref(node, count)) gone.push_back(node);
  while (!gone.empty()) {
    Node* dead = gone.back();
    gone.pop_back();
    std::vector<Node*> parents;
    bool wake;
    {
      std::lock_guard lock(stream.mutex);
      stream.Forget(dead);
      if (dead->alias.parent != nullptr) parents.push_back(dead->alias.parent);
      if (dead->moreAliases) {
        for (const Alias& alias : *dead->moreAliases) parents.push_back(alias.parent);
      }
      wake = stream.TakeWake();
    }
    if (wake) Wake();
    nodes.Destroy(dead);
    for (Node* parent : parents) {
      if (nodes.Unref(parent)) gone.push_back(parent);
    }
  }
}

int Session::SyncFile(Node* node, int fd, bool dataOnly) {
  // Read before the call: what is counted later may not be covered by it.
  uint32_t seq = node->dataSeq.load();
  int result = dataOnly ? fdatasync(fd) : fsync(fd);
  if (result != 0) {
    int errnum = errno;
    node->syncFailed.store(true);
    return errnum;
  }
  node->syncedSeq.store(seq);
  return 0;
}

void Session::CloseFile(OpenFile* file) {
  if (file->refs.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  close(file->fd);
  Unref(file->node);
  delete file;
}

}  // namespace twinfs
