#include "engine/huffman_layer.h"

#include "engine/packed_params.h"

namespace squeeze {

bool HuffmanLayersOk(const Model& model, uint8_t* arena) {
  const Header& header = model.header();
  const uint8_t* const codes = model.At<uint8_t>(header.codes_offset);
  bool first = true;
  for (int i = 0; i < model.layer_count(); ++i) {
    const LayerRecord& layer = model.layer(i);
    if (layer.kind != LayerKind::kConv2D || layer.encoding != WeightEncoding::kHuffman) continue;
    if (first && !CodesOk(codes, header.codes_bytes)) return false;
    first = false;
    const uint32_t in_channels = model.buffer(layer.inputs[0]).channels;
    const uint32_t area = uint32_t{layer.kernel_h} * layer.kernel_w;
    const HuffmanSource source = {model.At<uint8_t>(layer.weights_offset), codes, area * in_channels,
                                  in_channels};
    const HuffmanScratch at(layer.kernel, layer.out_channels, source.taps);
    HuffmanTables* const tables = reinterpret_cast<HuffmanTables*>(arena + layer.scratch_offset + at.tables);
    if (!HuffmanStreamOk(source, layer.weights_bytes, layer.out_channels, area, tables)) return false;
    const uint32_t offset = static_cast<uint32_t>(layer.params[0]);
    const uint32_t bytes = static_cast<uint32_t>(layer.params[1]);
    if (!PackedParamsOk(model.At<uint8_t>(offset), bytes, layer.out_channels)) return false;
  }
  return true;
}

}  // namespace squeeze
