"""The model as a C library: ``MODEL.h``, ``MODEL.c`` and the kernels they use."""
