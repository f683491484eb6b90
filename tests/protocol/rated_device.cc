// A device whose line has baud rates, for the tests, in a time of its own: reads
//   milliseconds u32, size u32, received bytes
// from stdin until it ends; the program's loop runs once on these bytes. Answers on stdout with
//   count u32, then for each thing that it did: baud u32, size u32, bytes
// where `size` bytes were sent at that rate; 0: from now on it has that rate.
// The rates that it can have: what 42 MHz / n comes near to, n from 16 on.
//
//   rated_device [no]    (no: it knows no rates)

#include <cstdio>
#include <vector>

#include "fake_application.h"
#include "protocol/bytes.h"
#include "protocol/device_link.h"

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kClock = 42000000;

Bytes g_out;
uint32_t g_count;
uint32_t g_baud = squeeze::link::kDefaultBaud;

void AppendU32(uint32_t value) {
  for (int i = 0; i < 4; ++i)
    g_out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void Note(const uint8_t* data, size_t size) {
  AppendU32(g_baud);
  AppendU32(static_cast<uint32_t>(size));
  g_out.insert(g_out.end(), data, data + size);
  ++g_count;
}

void Write(void*, const uint8_t* data, size_t size) {
  if (size > 0) Note(data, size);
}

uint32_t Speed(void*, uint32_t baud, bool change) {
  if (baud > kClock) return 0;
  const uint32_t divider = (kClock + baud / 2) / baud;
  if (divider < 16) return 0;
  if (change) {
    g_baud = kClock / divider;
    Note(nullptr, 0);
  }
  return kClock / divider;
}

}  // namespace

int main(int argc, char** /*argv*/) {
  FakeApplication::Options options;
  options.height = options.width = 28;
  FakeApplication application(options, Write, nullptr);
  auto interface = application.Interface();
  auto info = application.Info();
  if (argc == 1) {
    interface.speed = Speed;
    info.features = static_cast<uint32_t>(squeeze::link::Feature::kSpeed);
  }
  squeeze::link::DeviceLink link;
  if (!link.Init(info, interface)) return 3;
  uint8_t header[8];
  while (std::fread(header, 1, sizeof header, stdin) == sizeof header) {
    const uint32_t now = squeeze::link::LoadU32(header);
    Bytes in(squeeze::link::LoadU32(header + 4));
    if (!in.empty() && std::fread(in.data(), in.size(), 1, stdin) != 1)
      return 1;
    g_out.clear();
    g_count = 0;
    for (const uint8_t byte : in) link.OnByte(byte);
    link.MayRest(now, 1000 * squeeze::link::kDoubtSeconds);
    Bytes body;
    body.swap(g_out);
    AppendU32(g_count);
    std::fwrite(g_out.data(), 1, g_out.size(), stdout);
    if (!body.empty()) std::fwrite(body.data(), 1, body.size(), stdout);
    std::fflush(stdout);
  }
  return 0;
}
