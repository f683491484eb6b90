// The family v6m has these loops in assembler (pixel_pairs_accumulate.cc, pixel_pairs_lists.cc,
// pixel_pairs_pack.cc, pair_store_loops.cc). Where those are empty, on a host, the plain ones stand in for
// them.
#if !defined(__ARM_ARCH_ISA_THUMB) || __ARM_ARCH_ISA_THUMB != 1
#include "engine/portable/pair_store_plain.inc"
#include "engine/portable/pixel_pairs_plain.inc"
#endif
