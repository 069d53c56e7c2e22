#include "distributed/communicator/courier.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/base/contract.hpp"

namespace tempera {

namespace {
constexpr std::size_t kBytes = sizeof(Letter::content);
constexpr Index kLengths = Index{1} << 31;  // a letter says who sends it, and how many bytes are still to come with it
}  // namespace

void Courier::send(int to, std::string_view text) {
  TEMPERA_EXPECTS(!text.empty() && std::ssize(text) < kLengths);
  while (!text.empty()) {
    Letter letter{mailbox_.rank() * kLengths + std::ssize(text), {}};
    const std::size_t bytes = std::min(kBytes, text.size());
    std::memcpy(letter.content.data(), text.data(), bytes);
    mailbox_.send(to, letter);
    text.remove_prefix(bytes);
  }
}

std::optional<Courier::Message> Courier::take(const Letter& letter) {
  const int from = static_cast<int>(letter.slot / kLengths);
  const auto left = static_cast<std::size_t>(letter.slot % kLengths);
  std::string& text = arriving_[from];
  text.append(reinterpret_cast<const char*>(letter.content.data()), std::min(left, kBytes));
  if (left > kBytes) return std::nullopt;
  Message message{from, std::move(text)};
  text.clear();
  return message;
}

std::optional<Courier::Message> Courier::wait_for(double seconds, Patience patience) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const double left = std::chrono::duration<double>(until - Clock::now()).count();
    const auto letter = mailbox_.wait_for(std::max(0.0, left), patience);
    if (!letter) return std::nullopt;
    if (auto message = take(*letter)) return message;
  }
}

std::optional<Courier::Message> Courier::poll() {
  while (const auto letter = mailbox_.poll())
    if (auto message = take(*letter)) return message;
  return std::nullopt;
}

}  // namespace tempera
