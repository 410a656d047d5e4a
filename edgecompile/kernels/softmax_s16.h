/* SOFTMAX over the last axis, int16[rows, depth] to int16[rows, depth] with scale 1/32768 and zero point 0.
 *
 * layer    literal settings; `exponentials` and `reciprocals`: 513 values of exp(x) on [-10, 0] and 1 / (1 + x) on
 *          [0, 1] in Q0.15, between which is interpolated
 * input    int16
 * output   int16; may begin at the input or below it
 *
 * Nothing is allocated.
 */
#ifndef EC_SOFTMAX_S16_H_
#define EC_SOFTMAX_S16_H_

#include "rounding.h"

typedef struct {
    const int16_t *exponentials, *reciprocals;
    int rows, depth;
    int32_t multiplier;
    int shift, rounding;
} ec_softmax_s16_layer;

/* A table's value at x of [-32768, 32767], cut to that range first. */
EC_SPECIALIZED int16_t ec_softmax_s16_look_up(const int16_t *table, int32_t x)
{
    const int32_t place = ec_clamp(x, -32768, 32767) + 32768, index = place >> 7, rest = place & 127;
    return (int16_t)(table[index] + (((table[index + 1] - table[index]) * rest + 64) >> 7));
}

EC_SPECIALIZED void ec_softmax_s16(const ec_softmax_s16_layer *layer, const int16_t *input, int16_t *output)
{
    int row, c;
    for (row = 0; row < layer->rows; ++row, input += layer->depth, output += layer->depth) {
        int32_t largest = -32768, sum = 0, scale;
        int headroom = 0;
        for (c = 0; c < layer->depth; ++c) largest = input[c] > largest ? input[c] : largest;
        for (c = 0; c < layer->depth; ++c) {
            const int32_t below = ec_scale(input[c] - largest, layer->multiplier, layer->shift, layer->rounding);
            output[c] = ec_softmax_s16_look_up(layer->exponentials, below + 32767);
            sum += output[c];
        }
        while (((uint32_t)sum << headroom & 0x80000000u) == 0) ++headroom;
        scale = (int32_t)((((int64_t)sum << (headroom - 1)) + (1 << 13)) >> 14) - 98304;
        scale = ec_softmax_s16_look_up(layer->reciprocals, scale);
        for (c = 0; c < layer->depth; ++c) {
            const int right = 31 - headroom;
            const int64_t value = ((int64_t)output[c] * scale + ((int64_t)1 << (right - 1))) >> right;
            output[c] = (int16_t)ec_clamp((int32_t)value, 0, 32767);
        }
    }
}

#endif /* EC_SOFTMAX_S16_H_ */
