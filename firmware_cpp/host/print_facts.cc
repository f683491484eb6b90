// Prints as JSON what Python repeats of the C++ headers (facts.h): enums, constants, structs. A test
// compares.
#include <stddef.h>
#include <stdio.h>

#include <type_traits>

#include "host/facts.h"

namespace squeeze {
namespace {

// An enumerator that facts.h lacks is an error of the compiler's here (-Wswitch).
#define FACTS_CASE(name) case name:
#define FACTS_COMPLETE(type, list)                    \
  [[maybe_unused]] constexpr bool Known(type value) { \
    switch (value) { list(FACTS_CASE) return true; }  \
    return false;                                     \
  }
FACTS_COMPLETE(LayerKind, FACTS_LAYER_KIND)
FACTS_COMPLETE(WeightEncoding, FACTS_WEIGHT_ENCODING)
FACTS_COMPLETE(ConvKernel, FACTS_CONV_KERNEL)
FACTS_COMPLETE(HuffmanMode, FACTS_HUFFMAN_MODE)
FACTS_COMPLETE(Status, FACTS_STATUS)
FACTS_COMPLETE(squeeze_status, FACTS_C_STATUS)
FACTS_COMPLETE(link::Request, FACTS_REQUEST)
FACTS_COMPLETE(link::Reply, FACTS_REPLY)
FACTS_COMPLETE(link::State, FACTS_STATE)
FACTS_COMPLETE(link::ErrorCode, FACTS_ERROR_CODE)
FACTS_COMPLETE(link::Data, FACTS_DATA)
FACTS_COMPLETE(link::Feature, FACTS_FEATURE)
FACTS_COMPLETE(link::ResetCause, FACTS_RESET_CAUSE)
FACTS_COMPLETE(link::CounterKind, FACTS_COUNTER_KIND)

// The letter of Python's struct module for a field's type, or for an element of an array of that type.
template <typename Field>
char Letter() {
  using Element = std::remove_all_extents_t<Field>;
  if (std::is_floating_point<Element>::value) return 'f';
  const bool is_signed = std::is_signed<Element>::value;  // an enum class of uint8_t is not
  switch (sizeof(Element)) {
    case 1:
      return is_signed ? 'b' : 'B';
    case 2:
      return is_signed ? 'h' : 'H';
    case 4:
      return is_signed ? 'i' : 'I';
    default:
      return is_signed ? 'q' : 'Q';
  }
}

template <typename Field>
size_t Elements() {
  return sizeof(Field) / sizeof(std::remove_all_extents_t<Field>);  // NOLINT(bugprone-sizeof-expression): a
                                                                    // field may be one number
}

// Writes "name": or, of a value that is not the first, a comma before it.
class Object {
 public:
  explicit Object(const char* name) { printf("\"%s\": {", name); }
  ~Object() { printf("}"); }
  void Number(const char* name, long long value) {
    printf("%s\"%s\": %lld", comma_, name, value);
    comma_ = ", ";
  }
  void Text(const char* name, const char* value) {
    printf("%s\"%s\": \"%s\"", comma_, name, value);
    comma_ = ", ";
  }

 private:
  const char* comma_ = "";
};

#define FACTS_ENUMERATOR(name) object.Number(#name, static_cast<long long>(name));
#define FACTS_ENUM(type, list) \
  {                            \
    Object object(#type);      \
    list(FACTS_ENUMERATOR)     \
  }

void PrintEnums() {
  printf("\"enums\": {");
  FACTS_ENUM(LayerKind, FACTS_LAYER_KIND)
  printf(",\n");
  FACTS_ENUM(WeightEncoding, FACTS_WEIGHT_ENCODING)
  printf(",\n");
  FACTS_ENUM(ConvKernel, FACTS_CONV_KERNEL)
  printf(",\n");
  FACTS_ENUM(HuffmanMode, FACTS_HUFFMAN_MODE)
  printf(",\n");
  FACTS_ENUM(Status, FACTS_STATUS)
  printf(",\n");
  FACTS_ENUM(squeeze_status, FACTS_C_STATUS)
  printf(",\n");
  FACTS_ENUM(link::Request, FACTS_REQUEST)
  printf(",\n");
  FACTS_ENUM(link::Reply, FACTS_REPLY)
  printf(",\n");
  FACTS_ENUM(link::State, FACTS_STATE)
  printf(",\n");
  FACTS_ENUM(link::ErrorCode, FACTS_ERROR_CODE)
  printf(",\n");
  FACTS_ENUM(link::Data, FACTS_DATA)
  printf(",\n");
  FACTS_ENUM(link::Feature, FACTS_FEATURE)
  printf(",\n");
  FACTS_ENUM(link::ResetCause, FACTS_RESET_CAUSE)
  printf(",\n");
  FACTS_ENUM(link::CounterKind, FACTS_COUNTER_KIND)
  printf("}");
}

void PrintTexts() {
  Object object("status_texts");
#define FACTS_STATUS_TEXT(name) object.Text(#name, squeeze_status_text(name));
  FACTS_C_STATUS(FACTS_STATUS_TEXT)
}

void PrintConstants() {
  Object object("constants");
  FACTS_CONSTANTS(FACTS_ENUMERATOR)
}

void PrintLink() {
  using namespace link;  // for the names of its constants alone
  {
    Object object("link_constants");
    FACTS_LINK_CONSTANTS(FACTS_ENUMERATOR)
    object.Number("CobsEncoder::kMaxBlock", static_cast<long long>(CobsEncoder::kMaxBlock));
  }
  printf(",\n\"encoded_sizes\": [0");
  for (size_t body = 1; body <= kMaxBody; ++body) printf(", %zu", EncodedSize(body));
  printf("]");
}

void PrintStructs() {
  {
    Object object("bytes");
#define FACTS_BYTES(type) object.Number(#type, static_cast<long long>(sizeof(type)));
    FACTS_STRUCTS(FACTS_BYTES)
  }
  printf(",\n\"fields\": [");
  const char* comma = "";
#define FACTS_FIELD(type, field)                                                              \
  printf("%s[\"%s\", \"%s\", %zu, %zu, \"%c\"]", comma, #type, #field, offsetof(type, field), \
         Elements<decltype(type::field)>(), Letter<decltype(type::field)>());                 \
  comma = ",\n";
  FACTS_FIELDS(FACTS_FIELD)
  printf("]");
}

}  // namespace
}  // namespace squeeze

int main() {
  printf("{");
  squeeze::PrintEnums();
  printf(",\n");
  squeeze::PrintTexts();
  printf(",\n");
  squeeze::PrintConstants();
  printf(",\n");
  squeeze::PrintLink();
  printf(",\n");
  squeeze::PrintStructs();
  printf("}\n");
  return 0;
}
