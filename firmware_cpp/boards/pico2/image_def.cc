// What the boot ROM wants to find in the first 4 KB of the flash before it starts the image (RP2350
// datasheet, section 5.9): a block between two markers, of items. Each item begins with its type (8 bits; the
// top bit says that the size has 16 bits, not 8) and its size in words. This is the smallest block for a
// program in secure mode on the Arm cores (5.9.5). No item has a hash: the ROM checks one only where its
// one-time-programmable memory asks for it, as that of a Pico 2 as sold does not.
#include <stdint.h>

namespace {

constexpr uint32_t kBlockStart = 0xFFFFDED3;
constexpr uint32_t kBlockEnd = 0xAB123579;

// IMAGE_TYPE, one word: its upper half says what the image is.
constexpr uint32_t kImageType = 0x42 | 1u << 8;
constexpr uint32_t kExecutable = 1u << 16;
constexpr uint32_t kSecure = 2u << (16 + 4);
constexpr uint32_t kArm = 0u << (16 + 8);
constexpr uint32_t kRp2350 = 1u << (16 + 12);

// LAST: in place of its own size, that of all items before it, in words.
constexpr uint32_t kLast = 0xFF | 1u << 8;

// From this block to the next one of a ring, in bytes: it is the only one.
constexpr uint32_t kNextBlock = 0;

}  // namespace

// `extern` gives a const the linkage that the linker script's KEEP needs.
extern "C" {
extern const uint32_t image_def[5];
__attribute__((section(".image_def"), used)) constexpr uint32_t image_def[5] = {
    kBlockStart, kImageType | kExecutable | kSecure | kArm | kRp2350, kLast, kNextBlock, kBlockEnd};
}
