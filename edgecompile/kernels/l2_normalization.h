/* L2_NORMALIZATION over the last axis, int8 to int8 of scale 1/128 and zero point 0, or float32.
 *
 * layer    literal sizes, and the elements' type (elements.h)
 * input, output   elements; the output may begin at the input or below it
 *
 * Nothing is allocated.
 */
#ifndef EC_L2_NORMALIZATION_H_
#define EC_L2_NORMALIZATION_H_

#include <math.h>

#include "elements.h"
#include "fixed_point.h"

typedef struct {
    int rows, depth, type, input_zero_point, rounding;
} ec_l2_normalization_layer;

EC_SPECIALIZED void ec_l2_normalization_row(const ec_l2_normalization_layer *layer, const int8_t *input,
                                            int8_t *output)
{
    int32_t sum = 0, multiplier;
    int c, shift;
    for (c = 0; c < layer->depth; ++c) {
        const int32_t value = input[c] - layer->input_zero_point;
        sum = ec_add(sum, value * value);
    }
    multiplier = ec_fixed_inverse_root(sum, &shift);
    for (c = 0; c < layer->depth; ++c) {
        const int32_t value = input[c] - layer->input_zero_point;
        output[c] = ec_narrow(ec_scale(value, multiplier, shift + 7, layer->rounding), -128, 127);
    }
}

EC_SPECIALIZED void ec_l2_normalization(const ec_l2_normalization_layer *layer, const void *input, void *output)
{
    int row, c;
    for (row = 0; row < layer->rows; ++row) {
        if (layer->type == EC_F32) {
            const float *const from = (const float *)input + row * layer->depth;
            float *const to = (float *)output + row * layer->depth;
            float sum = 0.0f, norm;
            for (c = 0; c < layer->depth; ++c) sum += from[c] * from[c];
            norm = sqrtf(sum);
            if (norm < 1e-6f) norm = 1e-6f;
            for (c = 0; c < layer->depth; ++c) to[c] = from[c] / norm;
        } else {
            ec_l2_normalization_row(layer, (const int8_t *)input + row * layer->depth,
                                    (int8_t *)output + row * layer->depth);
        }
    }
}

#endif /* EC_L2_NORMALIZATION_H_ */
