/* How two inputs meet, of one shape or broadcast: the loops that all kernels of two inputs share. Twin: broadcast.py.
 *
 * Inputs advance by their strides (in elements) along four axes, the output is dense. Nothing here allocates.
 */
#ifndef EC_BROADCAST_H_
#define EC_BROADCAST_H_

#include "rounding.h"

#define EC_BROADCAST_FIELDS \
    int size_0, size_1, size_2, size_3; \
    int first_stride_0, first_stride_1, first_stride_2, first_stride_3; \
    int second_stride_0, second_stride_1, second_stride_2, second_stride_3

/* Run `step` for every element of the output: `x`, `y` and `o` are the places in the inputs and in the output. `hint`
 * stands before the innermost loop.
 */
#define EC_BROADCAST(layer, hint, step) \
    do { \
        int a, b, c, d, x, y, o = 0; \
        for (a = 0; a < (layer)->size_0; ++a) { \
            for (b = 0; b < (layer)->size_1; ++b) { \
                for (c = 0; c < (layer)->size_2; ++c) { \
                    x = a * (layer)->first_stride_0 + b * (layer)->first_stride_1 + c * (layer)->first_stride_2; \
                    y = a * (layer)->second_stride_0 + b * (layer)->second_stride_1 + c * (layer)->second_stride_2; \
                    hint for (d = 0; d < (layer)->size_3; ++d) \
                    { \
                        step; \
                        x += (layer)->first_stride_3; \
                        y += (layer)->second_stride_3; \
                        ++o; \
                    } \
                } \
            } \
        } \
    } while (0)

#endif /* EC_BROADCAST_H_ */
