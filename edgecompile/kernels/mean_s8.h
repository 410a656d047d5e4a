/* MEAN and SUM, int8[kept_outer][summed_outer][kept_inner][summed_inner] to int8[kept_outer][kept_inner].
 *
 * layer    literal settings; the mean's divisor is in the multiplier, `offset` takes the input's zero points away
 * input    int8
 * output   int8; must not overlap the input
 *
 * Nothing is allocated.
 */
#ifndef EC_MEAN_S8_H_
#define EC_MEAN_S8_H_

#include "rounding.h"

typedef struct {
    int kept_outer, summed_outer, kept_inner, summed_inner;
    int32_t offset, multiplier;
    int shift;
    int output_zero_point;
    int rounding;
} ec_mean_s8_layer;

EC_SPECIALIZED void ec_mean_s8(const ec_mean_s8_layer *layer, const int8_t *input, int8_t *output)
{
    const int row = layer->kept_inner * layer->summed_inner;
    int a, b, c, d;
    for (a = 0; a < layer->kept_outer; ++a, input += layer->summed_outer * row) {
        for (c = 0; c < layer->kept_inner; ++c) {
            int32_t sum = layer->offset;
            for (b = 0; b < layer->summed_outer; ++b) {
                const int8_t *const from = input + b * row + c * layer->summed_inner;
                for (d = 0; d < layer->summed_inner; ++d) sum += from[d];
            }
            sum = ec_scale(sum, layer->multiplier, layer->shift, layer->rounding);
            *output++ = ec_narrow(ec_add(sum, layer->output_zero_point), -128, 127);
        }
    }
}

#endif /* EC_MEAN_S8_H_ */
