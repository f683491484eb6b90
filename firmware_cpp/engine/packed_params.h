// A Huffman-coded layer's biases, multipliers and shifts, packed; written by
// convert/encode/channel_params.py.
//
// uint16 scales; uint8 bits of an index and, in the upper three bits, the zero bits that all biases end with;
// uint8 bits of a bias without these; int32 multiplier of each scale, int8 shift of each; then for each
// channel, as bits, the index of its scale and, if a bias has bits at all, one bit and, where that is 1, the
// bias. The input's zero point is not folded into it: HuffmanWeights does that.
#ifndef SQUEEZE_ENGINE_PACKED_PARAMS_H_
#define SQUEEZE_ENGINE_PACKED_PARAMS_H_

#include <stdint.h>

namespace squeeze {

// Whether `bytes` at `packed` are the parameters of so many channels, all in range.
bool PackedParamsOk(const uint8_t* packed, uint32_t bytes, uint32_t channels);

// The parameters of `channels` channels to arrays.
void UnpackParams(const uint8_t* packed, uint32_t channels, int32_t* bias, int32_t* multipliers,
                  int8_t* shifts);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PACKED_PARAMS_H_
