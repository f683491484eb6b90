// Damages models and runs what the engine still takes, under AddressSanitizer and UBSan: whatever a blob
// holds, there is a status, never a fault, never a byte outside, never an endless loop.
//
//   mutate_model SEED COUNT MODEL...   COUNT mutants of each model, the same ones for the same seed
// The CRC-32 of each mutant is made good, so that the checks behind it, and the kernels, see the damage.
// Blob, arena and rows are heap blocks of their exact sizes. Prints for each model
//   MODEL mutants N refused R ran C of it data D statuses S=N S=N ...
// C were taken and computed an image; D of these have damage in weights, parameters or labels only; S=N:
// status S of Parse, N times. When a sanitizer stops the program it says which mutant of which model it was.
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "engine/crc32.h"
#include "engine/engine.h"
#include "engine/format.h"
#include "engine/model.h"

namespace {

using squeeze::Header;
using squeeze::Status;

constexpr uint32_t kStatuses = 64;
// Models may ask for more than a host has, or for hours of work, without being wrong: these are not run, or
// not to their end.
constexpr size_t kMostArena = size_t{8} << 20;
constexpr uint32_t kMostRows = 64;
constexpr unsigned kSeconds = 60;  // for one mutant: an endless loop ends here, by SIGALRM

// What is under way, for the last words.
struct Progress {
  const char* model;
  unsigned long seed;
  unsigned long mutant;
};
Progress g_progress;

void LastWords() {
  std::fprintf(stderr, "mutant %lu of seed %lu of %s\n", g_progress.mutant, g_progress.seed,
               g_progress.model);
}

void OnSignal(int signal) {
  std::fprintf(stderr, signal == SIGALRM ? "no end after a minute\n" : "aborted\n");
  LastWords();
  std::_Exit(1);
}

// SplitMix64 (Steele, Lea, Flood, 2014): the same numbers everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // 0 to n - 1.
  size_t Below(size_t n) { return static_cast<size_t>(Next() % n); }
  bool Chance(unsigned percent) { return Below(100) < percent; }

 private:
  uint64_t state_;
};

using Bytes = std::vector<uint8_t>;

Header HeaderOf(const Bytes& blob) {
  Header header;
  std::memcpy(&header, blob.data(), sizeof(header));
  return header;
}

// Where the records end and weights, parameters and labels begin.
size_t TablesEnd(const Header& header) {
  return header.layers_offset + header.layer_count * sizeof(squeeze::LayerRecord);
}

uint32_t Extreme(Random* random, uint32_t old) {
  static constexpr uint32_t kValues[] = {0,      1,      2,          3,          0x7F,       0x80,      0xFF,
                                         0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE};
  constexpr size_t kCount = sizeof(kValues) / sizeof(kValues[0]);
  switch (random->Below(4)) {
    case 0:
      return kValues[random->Below(kCount)];
    case 1:
      return old + 1 - 2 * static_cast<uint32_t>(random->Below(2));  // one more, one less
    case 2:
      return old ^ (uint32_t{1} << random->Below(32));
    default:
      return static_cast<uint32_t>(random->Next());
  }
}

// A number of 1, 2 or 4 bytes in [begin, end), on a multiple of its size, set to an extreme or a random
// value.
void ChangeNumber(Bytes* blob, size_t begin, size_t end, Random* random) {
  const size_t size = size_t{1} << random->Below(3);
  const size_t at = (begin + random->Below(end - begin)) / size * size;
  if (at < begin || at + size > end) return;
  uint32_t value = 0;
  std::memcpy(&value, blob->data() + at, size);
  value = Extreme(random, value);
  std::memcpy(blob->data() + at, &value, size);
}

// A run of bytes in [begin, end) made random, all alike, or taken from elsewhere in it.
void ChangeRun(Bytes* blob, size_t begin, size_t end, Random* random) {
  const size_t most = end - begin;
  const size_t wanted = 1 + random->Below(random->Chance(80) ? 16 : 512);
  const size_t size = wanted < most ? wanted : most;
  uint8_t* const to = blob->data() + begin + random->Below(most - size + 1);
  switch (random->Below(3)) {
    case 0:
      for (size_t i = 0; i < size; ++i) to[i] = static_cast<uint8_t>(random->Next());
      return;
    case 1:
      std::memset(to, static_cast<int>(random->Chance(50) ? 0xFF : random->Below(256)), size);
      return;
    default:
      std::memmove(to, blob->data() + begin + random->Below(most - size + 1), size);
  }
}

// A record in the place of another.
void CopyRecord(Bytes* blob, const Header& header, Random* random) {
  const bool layer = random->Chance(60);
  const size_t size = layer ? sizeof(squeeze::LayerRecord) : sizeof(squeeze::BufferRecord);
  const size_t count = layer ? header.layer_count : header.buffer_count;
  uint8_t* const table = blob->data() + (layer ? header.layers_offset : header.buffers_offset);
  std::memmove(table + size * random->Below(count), table + size * random->Below(count), size);
}

// The end cut off; half of the time the header knows.
void Truncate(Bytes* blob, Random* random) {
  blob->resize(sizeof(Header) + random->Below(blob->size() - sizeof(Header) + 1));
  if (random->Chance(50)) return;
  const uint32_t total = static_cast<uint32_t>(blob->size());
  std::memcpy(blob->data() + offsetof(Header, total_bytes), &total, sizeof(total));
}

void MakeCrcGood(Bytes* blob) {
  const size_t total = HeaderOf(*blob).total_bytes;
  if (total < squeeze::kCrcStart || total > blob->size()) return;  // refused before its CRC is looked at
  const uint32_t crc = squeeze::Crc32(0, blob->data() + squeeze::kCrcStart, total - squeeze::kCrcStart);
  std::memcpy(blob->data() + offsetof(Header, crc32), &crc, sizeof(crc));
}

struct Mutant {
  Bytes blob;
  bool data_only;  // header and records are as they were
};

Mutant Mutate(const Bytes& sound, Random* random) {
  Mutant mutant = {sound, random->Chance(35)};
  const Header header = HeaderOf(sound);
  const size_t tables = TablesEnd(header);
  const bool has_data = tables < sound.size();
  mutant.data_only = mutant.data_only && has_data;
  for (size_t changes = 1 + random->Below(4); changes > 0; --changes) {
    const size_t kind = random->Below(100);
    if (mutant.data_only || (has_data && kind < 20)) {
      if (random->Chance(50)) {
        ChangeNumber(&mutant.blob, tables, sound.size(), random);
      } else {
        ChangeRun(&mutant.blob, tables, sound.size(), random);
      }
    } else if (kind < 30) {
      ChangeNumber(&mutant.blob, offsetof(Header, version), header.buffers_offset, random);
    } else if (kind < 85) {
      ChangeNumber(&mutant.blob, header.buffers_offset, tables, random);
    } else if (kind < 90) {
      ChangeRun(&mutant.blob, header.buffers_offset, tables, random);
    } else {
      CopyRecord(&mutant.blob, header, random);
    }
  }
  if (!mutant.data_only && random->Chance(3)) Truncate(&mutant.blob, random);
  MakeCrcGood(&mutant.blob);
  return mutant;
}

// An image as far as kMostRows rows. False: it was too large to run.
bool RunImage(const squeeze::Model& model, Random* random) {
  const size_t arena_bytes = model.ArenaBytes();
  if (arena_bytes > kMostArena) return false;
  std::unique_ptr<uint8_t[]> arena(new uint8_t[arena_bytes]);
  std::memset(arena.get(), static_cast<int>(random->Below(256)), arena_bytes);
  squeeze::Engine engine;
  Status status = engine.Init(model, arena.get(), arena_bytes);
  // A second worker that makes its half at once: the engine's way with one, in the same order every time.
  engine.SetWorker({[](void* /*context*/, void (*run)(void* half), void* half) { run(half); },
                    [](void* /*context*/) {}, nullptr});
  const size_t row_bytes = squeeze::RowBytes(model.Input());
  std::unique_ptr<int8_t[]> row(new int8_t[row_bytes]);
  for (uint32_t i = 0; i < model.Input().height && i < kMostRows && status == Status::kOk; ++i) {
    for (size_t k = 0; k < row_bytes; ++k) row[k] = static_cast<int8_t>(random->Next());
    status = engine.PushRow(row.get());
  }
  return true;
}

struct Counts {
  unsigned long refused = 0;
  unsigned long ran = 0;
  unsigned long ran_data = 0;
  unsigned long statuses[kStatuses] = {};
};

void Try(const Mutant& mutant, Random* random, Counts* counts) {
  const size_t size = mutant.blob.size();
  std::unique_ptr<uint8_t[]> blob(new uint8_t[size]);
  std::memcpy(blob.get(), mutant.blob.data(), size);
  squeeze::Model model;
  const Status status = model.Parse(blob.get(), size);
  ++counts->statuses[static_cast<uint32_t>(status) % kStatuses];
  if (status != Status::kOk) {
    ++counts->refused;
  } else if (RunImage(model, random)) {
    ++counts->ran;
    counts->ran_data += mutant.data_only ? 1 : 0;
  }
}

bool Read(const char* path, Bytes* content) {
  std::FILE* f = std::fopen(path, "rb");
  if (f == nullptr) return false;
  const long end = std::fseek(f, 0, SEEK_END) == 0 ? std::ftell(f) : -1;
  bool ok = end >= 0 && std::fseek(f, 0, SEEK_SET) == 0;
  if (ok) {
    content->resize(static_cast<size_t>(end));
    ok = std::fread(content->data(), 1, content->size(), f) == content->size();
  }
  return std::fclose(f) == 0 && ok;
}

}  // namespace

// UBSan has another death callback, which only an abort reaches.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer's name
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  __sanitizer_set_death_callback(LastWords);
  std::signal(SIGABRT, OnSignal);
  std::signal(SIGALRM, OnSignal);
  g_progress.seed = std::strtoul(argv[1], nullptr, 10);
  const unsigned long count = std::strtoul(argv[2], nullptr, 10);
  for (int i = 3; i < argc; ++i) {
    Bytes sound;
    squeeze::Model model;
    if (!Read(argv[i], &sound) || model.Parse(sound.data(), sound.size()) != Status::kOk) return 2;
    g_progress.model = argv[i];
    Counts counts;
    for (unsigned long n = 0; n < count; ++n) {
      g_progress.mutant = n;
      Random random((g_progress.seed << 48) + (static_cast<uint64_t>(i) << 32) + n);
      alarm(kSeconds);
      Try(Mutate(sound, &random), &random, &counts);
    }
    alarm(0);
    std::printf("%s mutants %lu refused %lu ran %lu of it data %lu statuses", argv[i], count, counts.refused,
                counts.ran, counts.ran_data);
    for (uint32_t s = 0; s < kStatuses; ++s) {
      if (counts.statuses[s] != 0) std::printf(" %u=%lu", s, counts.statuses[s]);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  return 0;
}
