// A NOR flash in memory that keeps the rules, counts its operations, and can lose its power at any of them.
//
// Rules: an erase makes a whole sector 1; a unit is programmed as a whole, once between two erases, and only where
// the erase before was completed. Whoever breaks one finds it in `broken()`. A unit that reads as erased after a
// program that was interrupted has not been touched.
#ifndef TESTS_UPDATE_NOR_MODEL_H_
#define TESTS_UPDATE_NOR_MODEL_H_

#include <stdint.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "update/flash.h"

// What an interrupted operation leaves. Of a program: kNone, kSome bits of the unit, kAll. Of an erase: kNone; the
// sector's kBegin or kEnd is erased; kSome bits became 1; kGarbage; kAll looks erased, and is not to be trusted.
enum class Torn { kNone, kSome, kAll, kBegin, kEnd, kGarbage };
constexpr Torn kTornPrograms[] = {Torn::kNone, Torn::kSome, Torn::kAll};
constexpr Torn kTornErases[] = {Torn::kNone, Torn::kBegin,   Torn::kEnd,
                                Torn::kSome, Torn::kGarbage, Torn::kAll};

struct Geometry {
  const char* name;
  std::vector<update::Region> regions;
  uint32_t unit;
  bool corrects_errors;  // a unit whose program or erase was interrupted may be unreadable
};

class NorModel {
 public:
  explicit NorModel(const Geometry& geometry, uint32_t seed = 1);
  NorModel(const NorModel&) = delete;

  const update::Flash& flash() const { return flash_; }
  const std::string& broken() const { return broken_; }
  long operations() const { return operations_; }
  uint32_t most_erases() const;

  // The power goes at the `number`th operation from now, which leaves `torn`. From then on nothing works.
  void CutAt(long number, Torn torn) { cut_at_ = operations_ + number, torn_ = torn; }
  bool off() const { return off_; }
  void PowerOn() { off_ = false, cut_at_ = 0; }

  // Called before each operation, to try what happens if it is cut: cut(torn) does that, take_back() undoes it
  // and all that was done to the flash since. Not called for what is done meanwhile.
  struct Operation {
    bool erases;
    uint32_t offset;
    std::function<void(Torn)> cut;
    std::function<void()> take_back;
  };
  std::function<void(const Operation&)> before;

  // Changes a byte behind everybody's back, as age does.
  void Spoil(uint32_t offset) { memory_[offset] ^= 0x10; }

 private:
  enum : uint8_t { kErased, kProgrammed, kUnreadable, kUntrusted };
  struct Undo {
    uint32_t offset;
    std::vector<uint8_t> bytes;
    std::vector<uint8_t> units;
  };
  bool Erase(uint32_t offset);
  void EraseSector(update::Sector sector);
  bool Program(uint32_t offset, const uint8_t* data, uint32_t bytes);
  void ProgramUnit(uint32_t offset, const uint8_t* data);
  bool Read(uint32_t offset, uint8_t* out, uint32_t bytes) const;
  void Break(const char* rule, uint32_t offset);
  void Save(uint32_t offset, uint32_t bytes);
  void Try(bool erases, uint32_t offset, const std::function<void()>& operation);
  bool Cuts();  // true: this operation, which it counts, is the one that is cut

  Geometry geometry_;
  update::Flash flash_;
  std::vector<uint8_t> memory_;
  std::vector<uint8_t> units_;
  std::vector<uint32_t> erases_;  // by the number of a sector's first unit
  std::vector<Undo> undo_;
  bool trying_ = false;
  long operations_ = 0;
  long cut_at_ = 0;
  Torn torn_ = Torn::kNone;
  bool off_ = false;
  std::string broken_;
  std::minstd_rand random_;
};

#endif  // TESTS_UPDATE_NOR_MODEL_H_
