/* SOFTMAX over the last axis of float32[rows, depth].
 *
 * layer    literal settings
 * input    float32
 * output   float32; may begin at the input or below it
 *
 * Nothing is allocated.
 */
#ifndef EC_SOFTMAX_F32_H_
#define EC_SOFTMAX_F32_H_

#include <math.h>

#include "rounding.h"

typedef struct {
    int rows, depth;
    float beta;
} ec_softmax_f32_layer;

EC_SPECIALIZED void ec_softmax_f32(const ec_softmax_f32_layer *layer, const float *input, float *output)
{
    int row, c;
    for (row = 0; row < layer->rows; ++row, input += layer->depth, output += layer->depth) {
        float largest = input[0], sum = 0.0f;
        for (c = 1; c < layer->depth; ++c) largest = input[c] > largest ? input[c] : largest;
        for (c = 0; c < layer->depth; ++c) {
            output[c] = expf((input[c] - largest) * layer->beta);
            sum += output[c];
        }
        for (c = 0; c < layer->depth; ++c) output[c] /= sum;
    }
}

#endif /* EC_SOFTMAX_F32_H_ */
