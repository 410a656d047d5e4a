/* Copy a block of bytes from one layout to another: slices, concatenation, transposition, padding, repetition.
 *
 * layer    literal sizes of five axes, and how far (in bytes) input and output advance along each; `run` bytes lie
 *          together in both
 * input, output   any element type; must not overlap
 *
 * Nothing is allocated; what lies between the runs of the output is left as it is.
 */
#ifndef EC_COPY_ND_H_
#define EC_COPY_ND_H_

#include <string.h>

#include "rounding.h"

typedef struct {
    int size_0, size_1, size_2, size_3, size_4;
    int input_stride_0, input_stride_1, input_stride_2, input_stride_3, input_stride_4;
    int output_stride_0, output_stride_1, output_stride_2, output_stride_3, output_stride_4;
    int input_offset, output_offset;
    int run;
} ec_copy_nd_layer;

EC_SPECIALIZED void ec_copy_nd(const ec_copy_nd_layer *layer, const void *input, void *output)
{
    const char *const from = (const char *)input + layer->input_offset;
    char *const to = (char *)output + layer->output_offset;
    int a, b, c, d, e;
    for (a = 0; a < layer->size_0; ++a) {
        for (b = 0; b < layer->size_1; ++b) {
            for (c = 0; c < layer->size_2; ++c) {
                for (d = 0; d < layer->size_3; ++d) {
                    const char *x = from + a * layer->input_stride_0 + b * layer->input_stride_1 +
                                    c * layer->input_stride_2 + d * layer->input_stride_3;
                    char *y = to + a * layer->output_stride_0 + b * layer->output_stride_1 +
                              c * layer->output_stride_2 + d * layer->output_stride_3;
                    for (e = 0; e < layer->size_4; ++e) {
                        memcpy(y, x, (size_t)layer->run);
                        x += layer->input_stride_4;
                        y += layer->output_stride_4;
                    }
                }
            }
        }
    }
}

#endif /* EC_COPY_ND_H_ */
