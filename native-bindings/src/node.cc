// Aliases of a node. Almost every inode has one name, so the first lives in the node itself.
#include "node.h"

#include <cstring>

namespace twinfs {

static bool Same(const Alias& alias, const Node* parent, const char* name, size_t bytes) {
  return alias.parent == parent && alias.name.size() == bytes &&
         std::memcmp(alias.name.data(), name, bytes) == 0;
}

bool Node::HasAlias(const Node* parent, const char* name, size_t bytes) const {
  if (Same(alias, parent, name, bytes)) return true;
  if (!moreAliases) return false;
  for (const Alias& other : *moreAliases) {
    if (Same(other, parent, name, bytes)) return true;
  }
  return false;
}

void Node::AddAlias(Node* parent, const char* name, size_t bytes) {
  if (IsNameless()) {
    alias.parent = parent;
    alias.name.assign(name, bytes);
    return;
  }
  if (!moreAliases) moreAliases = std::make_unique<std::vector<Alias>>();
  moreAliases->push_back(Alias{parent, std::string(name, bytes)});
}

Node* Node::RemoveAlias(const Node* parent, const char* name, size_t bytes) {
  if (Same(alias, parent, name, bytes)) {
    Node* held = alias.parent;
    alias = Alias{nullptr, {}};
    if (moreAliases) {
      alias = std::move(moreAliases->back());
      moreAliases->pop_back();
      if (moreAliases->empty()) moreAliases.reset();
    }
    return held;
  }
  if (!moreAliases) return nullptr;
  for (size_t i = 0; i < moreAliases->size(); i++) {
    if (!Same((*moreAliases)[i], parent, name, bytes)) continue;
    Node* held = (*moreAliases)[i].parent;
    if (i + 1 < moreAliases->size()) (*moreAliases)[i] = std::move(moreAliases->back());
    moreAliases->pop_back();
    if (moreAliases->empty()) moreAliases.reset();
    return held;
  }
  return nullptr;
}

}  // namespace twinfs
