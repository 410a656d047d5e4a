/* SOFTMAX over the last axis, int8[rows, depth] to int8[rows, depth] with scale 1/256 and zero point -128, or to int16
 * with scale 1/65536 and zero point -32768 (`is_wide`).
 *
 * layer    literal settings; exponentials[d] = exp(-d * beta * scale) in Q0.31, for d < steps; beyond it is nothing
 * input    int8
 * output   int8, which may begin at the input or below it, or int16
 *
 * The sum is Q12.19 and its reciprocal is found by Newton's method as in gemmlowp. Nothing is allocated.
 */
#ifndef EC_SOFTMAX_S8_H_
#define EC_SOFTMAX_S8_H_

#include "elements.h"

typedef struct {
    const int32_t *exponentials;
    int rows, depth, steps, is_wide;
} ec_softmax_s8_layer;

/* Like ec_high_product for any two factors: halves away from zero. */
EC_SPECIALIZED int32_t ec_softmax_s8_product(int32_t x, int32_t y)
{
    const int64_t both = (int64_t)x * y;
    const int64_t nudge = both >= 0 ? (int64_t)1 << 30 : 1 - ((int64_t)1 << 30);
    return (int32_t)((both + nudge) / ((int64_t)1 << 31));
}

/* 1 / (1 + x) in Q0.31 for x of Q0.31 in [0, 1). */
EC_SHARED int32_t ec_softmax_s8_reciprocal(int32_t x)
{
    const int32_t half = (int32_t)(((int64_t)x + 2147483647 + 1) / 2);
    int32_t guess = 1515870810 + ec_softmax_s8_product(half, -1010580540); /* 48/17 - 32/17 x, Q2.29 */
    int i;
    for (i = 0; i < 3; ++i) {
        const int32_t error = (1 << 29) - ec_softmax_s8_product(half, guess);
        guess += ec_softmax_s8_product(guess, error) * 4;
    }
    return guess > 1073741823 ? 2147483647 : guess * 2;
}

EC_SPECIALIZED void ec_softmax_s8(const ec_softmax_s8_layer *layer, const int8_t *input, void *output)
{
    const int bits = layer->is_wide ? 16 : 8, type = layer->is_wide ? EC_S16 : EC_S8, half = layer->is_wide ? 32768 : 128;
    int row, c;
    for (row = 0; row < layer->rows; ++row, input += layer->depth) {
        int32_t largest = -128, sum = 0, scale;
        int above = 0; /* bits of the sum above its one */
        for (c = 0; c < layer->depth; ++c) largest = input[c] > largest ? input[c] : largest;
        for (c = 0; c < layer->depth; ++c) {
            const int32_t below = largest - input[c];
            if (below < layer->steps) sum = ec_add(sum, ec_divide_by_power(layer->exponentials[below], 12));
        }
        while ((uint32_t)sum >> (above + 20) != 0) ++above;
        scale = ec_softmax_s8_reciprocal((int32_t)(((uint32_t)sum << (12 - above)) - ((uint32_t)1 << 31)));
        for (c = 0; c < layer->depth; ++c) {
            const int32_t below = largest - input[c];
            int32_t value = 0;
            if (below < layer->steps) {
                value = ec_divide_by_power(ec_softmax_s8_product(scale, layer->exponentials[below]), above + 31 - bits);
            }
            ec_put_whole(output, type, row * layer->depth + c, ec_clamp(value - half, -half, half - 1));
        }
    }
}

#endif /* EC_SOFTMAX_S8_H_ */
