/* LOGISTIC and TANH, int16 to int16 of scale 1/32768, and the table that they share with the LSTM kernels.
 *
 * layer    literal settings; `table`: 256 values of the logistic function at i / 24 in Q0.16
 * input    int16
 * output   int16; may begin at the input or below it
 *
 * Inputs times multiplier / 2^shift have the scale 1 / (3 * 4096). Nothing is allocated.
 */
#ifndef EC_SIGMOID_S16_H_
#define EC_SIGMOID_S16_H_

#include "rounding.h"

typedef struct {
    const uint16_t *table;
    int count, is_tanh;
    int32_t multiplier;
    int shift;
} ec_sigmoid_s16_layer;

EC_SPECIALIZED int32_t ec_sigmoid_s16_lift(int32_t x, int32_t multiplier, int shift)
{
    return (x * multiplier + (shift > 0 ? 1 << (shift - 1) : 0)) >> shift;
}

EC_SHARED int16_t ec_sigmoid_s16_logistic(const uint16_t *table, int32_t x, int32_t multiplier, int shift)
{
    const int32_t lifted = ec_sigmoid_s16_lift(x, multiplier, shift);
    const int32_t away = lifted < 0 ? -lifted : lifted, index = away >> 9;
    int32_t value = 0x7fff << 10;
    if (index < 255) value = (table[index] << 9) + (away & 511) * (table[index + 1] - table[index]);
    return (int16_t)((lifted >= 0 ? value + 512 : (1 << 25) - value + 511) >> 10);
}

EC_SHARED int16_t ec_sigmoid_s16_tanh(const uint16_t *table, int32_t x, int32_t multiplier, int shift)
{
    const int32_t lifted = ec_sigmoid_s16_lift(x, multiplier, shift);
    const int32_t away = lifted < 0 ? -lifted : lifted, index = away >> 8;
    int32_t value = 0xffff << 8;
    if (index < 255) value = (table[index] << 8) + (away & 255) * (table[index + 1] - table[index]);
    return (int16_t)((lifted >= 0 ? value - (1 << 23) + 128 : (1 << 23) - value + 127) >> 8);
}

EC_SPECIALIZED void ec_sigmoid_s16(const ec_sigmoid_s16_layer *layer, const int16_t *input, int16_t *output)
{
    int i;
    for (i = 0; i < layer->count; ++i) {
        output[i] = layer->is_tanh ? ec_sigmoid_s16_tanh(layer->table, input[i], layer->multiplier, layer->shift)
                                   : ec_sigmoid_s16_logistic(layer->table, input[i], layer->multiplier, layer->shift);
    }
}

#endif /* EC_SIGMOID_S16_H_ */
