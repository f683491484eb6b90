// The inner loops of ConvPixelPairsRows in plain C++. The family v6m has a file of this name without them.
#include "engine/portable/pair_store_plain.inc"
#include "engine/portable/pixel_pairs_plain.inc"
