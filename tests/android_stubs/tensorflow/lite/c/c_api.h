/* The part of LiteRT's C API that generated code calls, backed by files. */
#ifndef STUB_C_API_H_
#define STUB_C_API_H_
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

typedef enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;
struct TfLiteInterpreterOptions {};
struct TfLiteModel {};
struct TfLiteTensor { std::size_t bytes; alignas(16) unsigned char data[4096]; };
struct TfLiteInterpreter { TfLiteTensor inputs[4]; TfLiteTensor outputs[4]; int32_t input_count; int32_t output_count; };

/* The sizes of the model's tensors: "490 12" is one input and one output; the test says them as the model. */
inline TfLiteModel* TfLiteModelCreate(const void* model, std::size_t) { return model ? new TfLiteModel : nullptr; }
inline void TfLiteModelDelete(TfLiteModel* model) { delete model; }
inline std::string StubPath(const char* kind, int index) {
  return std::string(std::getenv("STUB")) + "/" + kind + std::to_string(index) + ".bin";
}
inline std::size_t StubSize(const char* kind, int index) {
  std::FILE* file = std::fopen((StubPath(kind, index) + ".size").c_str(), "r");
  if (file == nullptr) return 0;
  unsigned long size = 0;
  if (std::fscanf(file, "%lu", &size) != 1) size = 0;
  std::fclose(file);
  return size;
}
inline TfLiteInterpreter* TfLiteInterpreterCreate(const TfLiteModel*, const TfLiteInterpreterOptions*) {
  TfLiteInterpreter* made = new TfLiteInterpreter{};
  while ((made->inputs[made->input_count].bytes = StubSize("input", made->input_count)) != 0) ++made->input_count;
  while ((made->outputs[made->output_count].bytes = StubSize("output", made->output_count)) != 0) ++made->output_count;
  return made;
}
inline void TfLiteInterpreterDelete(TfLiteInterpreter* interpreter) { delete interpreter; }
inline TfLiteStatus TfLiteInterpreterAllocateTensors(TfLiteInterpreter*) { return kTfLiteOk; }
inline int32_t TfLiteInterpreterGetInputTensorCount(const TfLiteInterpreter* i) { return i->input_count; }
inline int32_t TfLiteInterpreterGetOutputTensorCount(const TfLiteInterpreter* i) { return i->output_count; }
inline TfLiteTensor* TfLiteInterpreterGetInputTensor(const TfLiteInterpreter* i, int32_t index) {
  return const_cast<TfLiteTensor*>(&i->inputs[index]);
}
inline const TfLiteTensor* TfLiteInterpreterGetOutputTensor(const TfLiteInterpreter* i, int32_t index) {
  return &i->outputs[index];
}
inline std::size_t TfLiteTensorByteSize(const TfLiteTensor* tensor) { return tensor->bytes; }
inline void* TfLiteTensorData(const TfLiteTensor* tensor) { return const_cast<unsigned char*>(tensor->data); }
inline TfLiteStatus TfLiteTensorCopyFromBuffer(TfLiteTensor* tensor, const void* from, std::size_t size) {
  if (size != tensor->bytes) return kTfLiteError;
  std::memcpy(tensor->data, from, size);
  return kTfLiteOk;
}
inline TfLiteStatus TfLiteTensorCopyToBuffer(const TfLiteTensor* tensor, void* to, std::size_t size) {
  if (size != tensor->bytes) return kTfLiteError;
  std::memcpy(to, tensor->data, size);
  return kTfLiteOk;
}
inline TfLiteStatus TfLiteInterpreterInvoke(TfLiteInterpreter* i) {
  for (int at = 0; at < i->input_count; ++at) {
    std::FILE* file = std::fopen(StubPath("input", at).c_str(), "wb");
    if (file == nullptr || std::fwrite(i->inputs[at].data, 1, i->inputs[at].bytes, file) == 0) return kTfLiteError;
    std::fclose(file);
  }
  for (int at = 0; at < i->output_count; ++at) {
    std::FILE* file = std::fopen(StubPath("output", at).c_str(), "rb");
    if (file == nullptr || std::fread(i->outputs[at].data, 1, i->outputs[at].bytes, file) == 0) return kTfLiteError;
    std::fclose(file);
  }
  return kTfLiteOk;
}
#endif
