#include "engine/coded_bytes.h"

namespace squeeze {

void CodedToBytes(CodedMode mode, CodedRun* run, int8_t* to) { DecodeToBytes(mode, run, to); }

}  // namespace squeeze
