// Coded channels to the lists of ConvListRows.
#ifndef SQUEEZE_ENGINE_DSP_CODED_LIST_H_
#define SQUEEZE_ENGINE_DSP_CODED_LIST_H_

#include "engine/coded.h"
#include "engine/dsp/list.h"

namespace squeeze {

// One channel's entries to `list`; returns where the next one would stand. Offsets: of kMasks
// table[channel * 9 + tap], else table[position], or, of a 1x1 (table null), position * step.
ListEntry* CodedToList(CodedMode mode, CodedRun* run, const uint16_t* table, uint32_t step, ListEntry* list);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_CODED_LIST_H_
