#include "distributed/tasks/rank_packing.hpp"

#include <algorithm>
#include <iterator>

#include "core/base/contract.hpp"

namespace tempera {

RankPacking::RankPacking(RankSpan ranks) : ranks_(ranks), idle_(ranks.count) {
  TEMPERA_EXPECTS(ranks.count >= 0);
  if (ranks.count > 0) spans_.emplace(ranks.first, ranks.count);
}

std::optional<RankSpan> RankPacking::take(int count) {
  TEMPERA_EXPECTS(count >= 1);
  const bool spares = kept_ && kept_->count > count;
  for (auto span = spans_.begin(); span != spans_.end(); ++span) {
    const int begin = span->first, end = begin + span->second;
    if (!spares) {
      if (end - begin >= count) return cut(span, {begin, count});
      continue;
    }
    if (std::min(end, kept_->first) - begin >= count) return cut(span, {begin, count});
    const int after = std::max(begin, kept_->end());
    if (end - after >= count) return cut(span, {after, count});
  }
  return std::nullopt;
}

RankSpan RankPacking::cut(Spans::iterator span, RankSpan part) {
  const RankSpan whole{span->first, span->second};
  spans_.erase(span);
  if (part.first > whole.first) spans_.emplace(whole.first, part.first - whole.first);
  if (part.end() < whole.end()) spans_.emplace(part.end(), whole.end() - part.end());
  if (kept_ && kept_->meets(part)) kept_.reset();
  idle_ -= part.count;
  return part;
}

void RankPacking::give_back(RankSpan span) {
  TEMPERA_EXPECTS(span.count >= 1 && span.first >= ranks_.first && span.end() <= ranks_.end());
  idle_ += span.count;
  auto next = spans_.lower_bound(span.first);
  TEMPERA_EXPECTS(next == spans_.end() || next->first >= span.end());
  if (next != spans_.end() && next->first == span.end()) {
    span.count += next->second;
    next = spans_.erase(next);
  }
  if (next != spans_.begin()) {
    const auto before = std::prev(next);
    TEMPERA_EXPECTS(before->first + before->second <= span.first);
    if (before->first + before->second == span.first) {
      before->second += span.count;
      return;
    }
  }
  spans_.emplace(span.first, span.count);
}

void RankPacking::keep(int count) {
  TEMPERA_EXPECTS(count >= 1 && count <= ranks_.count);
  if (kept_ && kept_->count == count) return;
  int idle_inside = 0, most = -1;
  auto ahead = spans_.begin(), behind = spans_.begin();
  const auto inside = [&](Spans::iterator& span, int rank) {
    while (span != spans_.end() && span->first + span->second <= rank) ++span;
    return span != spans_.end() && span->first <= rank ? 1 : 0;
  };
  for (int rank = ranks_.first; rank < ranks_.end(); ++rank) {
    idle_inside += inside(ahead, rank);
    if (rank - count >= ranks_.first) idle_inside -= inside(behind, rank - count);
    const int first = rank - count + 1;
    if (first >= ranks_.first && idle_inside > most) {
      most = idle_inside;
      kept_ = RankSpan{first, count};
    }
  }
}

bool RankPacking::is_idle(int rank) const {
  const auto next = spans_.upper_bound(rank);
  if (next == spans_.begin()) return false;
  const auto span = std::prev(next);
  return rank < span->first + span->second;
}

}  // namespace tempera
