/* MUL, int8 with int8 to int8, of one shape or broadcast.
 *
 * layer    literal settings; inputs advance by their strides along four axes, the output is dense
 * first, second   int8
 * output   int8; may begin at or below an input that is not broadcast
 *
 * Nothing is allocated.
 */
#ifndef EC_MULTIPLY_S8_H_
#define EC_MULTIPLY_S8_H_

#include "rounding.h"

typedef struct {
    int size_0, size_1, size_2, size_3;
    int first_stride_0, first_stride_1, first_stride_2, first_stride_3;
    int second_stride_0, second_stride_1, second_stride_2, second_stride_3;
    int first_zero_point, second_zero_point, output_zero_point;
    int32_t multiplier;
    int shift;
    int lowest, highest;
    int rounding;
} ec_multiply_s8_layer;

EC_SPECIALIZED int8_t ec_multiply_s8_element(const ec_multiply_s8_layer *layer, int8_t first, int8_t second)
{
    const int32_t both = (first - layer->first_zero_point) * (second - layer->second_zero_point);
    const int32_t scaled = ec_scale(both, layer->multiplier, layer->shift, layer->rounding);
    return ec_narrow(ec_add(scaled, layer->output_zero_point), layer->lowest, layer->highest);
}

EC_SPECIALIZED void ec_multiply_s8(const ec_multiply_s8_layer *layer, const int8_t *first, const int8_t *second, int8_t *output)
{
    int a, b, c, d;
    for (a = 0; a < layer->size_0; ++a) {
        for (b = 0; b < layer->size_1; ++b) {
            for (c = 0; c < layer->size_2; ++c) {
                const int8_t *x = first + a * layer->first_stride_0 + b * layer->first_stride_1 + c * layer->first_stride_2;
                const int8_t *y =
                    second + a * layer->second_stride_0 + b * layer->second_stride_1 + c * layer->second_stride_2;
                for (d = 0; d < layer->size_3; ++d, x += layer->first_stride_3, y += layer->second_stride_3) {
                    *output++ = ec_multiply_s8_element(layer, *x, *y);
                }
            }
        }
    }
}

#endif /* EC_MULTIPLY_S8_H_ */
