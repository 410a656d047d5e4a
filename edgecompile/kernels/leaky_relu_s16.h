/* LEAKY_RELU, int16 to int16.
 *
 * layer    literal settings; the slope's multiplier may be negative
 * input    int16
 * output   int16; may begin at the input or below it
 *
 * Nothing is allocated.
 */
#ifndef EC_LEAKY_RELU_S16_H_
#define EC_LEAKY_RELU_S16_H_

#include "rounding.h"

typedef struct {
    int count;
    int32_t multiplier, slope_multiplier;
    int shift, slope_shift;
    int input_zero_point, output_zero_point;
    int rounding;
} ec_leaky_relu_s16_layer;

EC_SPECIALIZED void ec_leaky_relu_s16(const ec_leaky_relu_s16_layer *layer, const int16_t *input, int16_t *output)
{
    int i;
    for (i = 0; i < layer->count; ++i) {
        int32_t value = input[i] - layer->input_zero_point;
        if (value >= 0) {
            value = ec_scale(value, layer->multiplier, layer->shift, layer->rounding);
        } else {
            value = ec_scale(value, layer->slope_multiplier, layer->slope_shift, layer->rounding);
        }
        output[i] = (int16_t)ec_clamp(ec_add(value, layer->output_zero_point), -32768, 32767);
    }
}

#endif /* EC_LEAKY_RELU_S16_H_ */
