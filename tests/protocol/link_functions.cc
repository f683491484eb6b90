// The parts of the link, one call at a time, for the tests: reads
//   operation u8, size u32, data
// from stdin until it ends, and answers each on stdout with
//   size u32, data

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "fake_application.h"
#include "protocol/bytes.h"
#include "protocol/cobs.h"
#include "engine/crc32.h"
#include "engine/sha256.h"
#include "protocol/device_link.h"
#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"

namespace {

using Bytes = std::vector<uint8_t>;

void Append(Bytes* out, const uint8_t* data, size_t size) {
  out->insert(out->end(), data, data + size);
}

void AppendTo(void* out, const uint8_t* data, size_t size) {
  Append(static_cast<Bytes*>(out), data, size);
}

void AppendU32(Bytes* out, uint32_t value) {
  for (int i = 0; i < 4; ++i)
    out->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

Bytes Crc(const Bytes& in) {
  Bytes out;
  AppendU32(&out, squeeze::Crc32(0, in.data(), in.size()));
  return out;
}

// In: the size of each piece u32, then the message.
Bytes Sha256InPieces(const Bytes& in) {
  const size_t piece = squeeze::link::LoadU32(in.data());
  squeeze::Sha256 sha;
  for (size_t at = 4; at < in.size(); at += piece)
    sha.Update(in.data() + at, std::min(piece, in.size() - at));
  Bytes out(squeeze::kSha256Bytes);
  sha.Finish(out.data());
  return out;
}

Bytes CobsEncode(const Bytes& in) {
  squeeze::link::CobsEncoder encoder;
  Bytes out;
  encoder.Reset();
  for (const uint8_t byte : in) {
    if (encoder.Push(byte)) Append(&out, encoder.block(), encoder.size());
  }
  if (encoder.Finish()) Append(&out, encoder.block(), encoder.size());
  return out;
}

// First byte of the answer: whether the data were COBS.
Bytes CobsDecode(const Bytes& in) {
  squeeze::link::CobsDecoder decoder;
  Bytes out = {1};
  decoder.Reset();
  for (const uint8_t byte : in) {
    if (byte == 0) return {0};
    const int decoded = decoder.Push(byte);
    if (decoded != squeeze::link::CobsDecoder::kNothing) {
      out.push_back(static_cast<uint8_t>(decoded));
    }
  }
  if (!decoder.Complete()) return {0};
  return out;
}

// In: type u8, sequence u16, payload. Out: the frame on the wire.
Bytes WriteFrame(const Bytes& in) {
  Bytes out;
  squeeze::link::FrameWriter writer;
  writer.Init(AppendTo, &out);
  writer.Begin(in[0], squeeze::link::LoadU16(in.data() + 1));
  writer.Bytes(in.data() + 3, in.size() - 3);
  writer.End();
  return out;
}

// Out, for each frame: size u32 of what follows, type u8, sequence u16,
// payload.
Bytes ReadFrames(const Bytes& in) {
  Bytes out;
  squeeze::link::FrameReader reader;
  for (const uint8_t byte : in) {
    if (!reader.Push(byte)) continue;
    AppendU32(&out, static_cast<uint32_t>(reader.payload_size() + 3));
    out.push_back(reader.type());
    out.push_back(static_cast<uint8_t>(reader.sequence()));
    out.push_back(static_cast<uint8_t>(reader.sequence() >> 8));
    Append(&out, reader.payload(), reader.payload_size());
  }
  return out;
}

// Everything a freshly started device says to these bytes.
Bytes RunDevice(const Bytes& in) {
  Bytes out;
  FakeApplication application(FakeApplication::Options(), AppendTo, &out);
  squeeze::link::DeviceLink link;
  if (!link.Init(application.Info(), application.Interface())) return {};
  for (const uint8_t byte : in) link.OnByte(byte);
  return out;
}

Bytes Call(int operation, const Bytes& in) {
  switch (operation) {
    case 'c':
      return Crc(in);
    case 's':
      return Sha256InPieces(in);
    case 'e':
      return CobsEncode(in);
    case 'd':
      return CobsDecode(in);
    case 'w':
      return WriteFrame(in);
    case 'r':
      return ReadFrames(in);
    case 'l':
      return RunDevice(in);
    default:
      return {};
  }
}

}  // namespace

int main() {
  uint8_t header[5];
  while (std::fread(header, 1, sizeof header, stdin) == sizeof header) {
    Bytes in(squeeze::link::LoadU32(header + 1));
    if (!in.empty() && std::fread(in.data(), in.size(), 1, stdin) != 1)
      return 1;
    const Bytes out = Call(header[0], in);
    Bytes size;
    AppendU32(&size, static_cast<uint32_t>(out.size()));
    std::fwrite(size.data(), 1, size.size(), stdout);
    if (!out.empty()) std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
  }
  return 0;
}
