"""The convolution kernels, a file each: what each takes, the scratch it wants, and what it costs.

Formulas of scratch mirror firmware_cpp/engine (conv_kernels.cc and the kernels' headers): the engine refuses
a model whose scratch is smaller. Formulas of work count how often each part of a kernel runs;
coefficients.json says what each part takes. Both decide which kernel runs a layer, never what it computes.
"""
