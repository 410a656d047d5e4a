/* UNIDIRECTIONAL_SEQUENCE_LSTM, int8 with an int16 cell state: steps of int8[inputs] to steps of int8[units].
 *
 * layer    literal settings; of each gate (forget, input, cell, output) int8 weights [4][units][inputs] and
 *          [4][units][units], two biases with the zero points folded in, and two multipliers
 * input    int8[outer][steps][inputs]; `step_stride` and `batch_stride` count steps of input and output
 * hidden   int8[batches][units], cell int16[batches][units]: kept from run to run
 * output   int8; must not overlap
 * scratch  int16[4][units]
 *
 * Gates are Q3.12 before and Q0.15 behind their functions (sigmoid_s16.h). Nothing is allocated.
 */
#ifndef EC_LSTM_S8_H_
#define EC_LSTM_S8_H_

#include "sigmoid_s16.h"

typedef struct {
    const int8_t *input_weights, *hidden_weights;
    const int32_t *input_bias, *hidden_bias;
    const int32_t *multipliers; /* of the four inputs, of the four hidden states */
    const int8_t *shifts;
    const uint16_t *table;
    int batches, steps, inputs, units, step_stride, batch_stride;
    int32_t forget_multiplier, new_multiplier, output_multiplier;
    int forget_shift, new_shift, output_shift;
    int cell_multiplier, cell_shift; /* of tanh(cell) */
    int cell_clip, output_zero_point;
    int rounding;
} ec_lstm_s8_layer;

/* Four numbers of one matrix row and one vector, scaled to Q3.12. */
EC_SPECIALIZED int32_t ec_lstm_s8_dense(const int8_t *weights, const int8_t *from, int count, int32_t sum,
                                        int32_t multiplier, int shift, int rounding)
{
    int i;
    for (i = 0; i < count; ++i) sum = ec_add(sum, weights[i] * from[i]);
    return ec_clamp(ec_scale(sum, multiplier, shift, rounding), -32768, 32767);
}

/* All units of one gate behind its function. */
EC_SPECIALIZED void ec_lstm_s8_gate(const ec_lstm_s8_layer *layer, int gate, const int8_t *input, const int8_t *hidden,
                                    int16_t *to)
{
    int u;
    for (u = 0; u < layer->units; ++u) {
        const int row = gate * layer->units + u;
        int32_t sum = ec_lstm_s8_dense(layer->input_weights + row * layer->inputs, input, layer->inputs,
                                       layer->input_bias[row], layer->multipliers[gate], layer->shifts[gate],
                                       layer->rounding);
        sum += ec_lstm_s8_dense(layer->hidden_weights + row * layer->units, hidden, layer->units,
                                layer->hidden_bias[row], layer->multipliers[4 + gate], layer->shifts[4 + gate],
                                layer->rounding);
        sum = ec_clamp(sum, -32768, 32767);
        to[u] = gate == 2 ? ec_sigmoid_s16_tanh(layer->table, sum, 3, 0)
                          : ec_sigmoid_s16_logistic(layer->table, sum, 3, 0);
    }
}

EC_SPECIALIZED int32_t ec_lstm_s8_product(int32_t x, int32_t y, int32_t multiplier, int shift, int rounding)
{
    return ec_scale(x * y, multiplier, shift, rounding);
}

EC_SPECIALIZED void ec_lstm_s8_step(const ec_lstm_s8_layer *layer, const int8_t *input, int8_t *hidden, int16_t *cell,
                                    int8_t *output, int16_t *gates)
{
    const int units = layer->units, rounding = layer->rounding;
    int gate, u;
    for (gate = 0; gate < 4; ++gate) ec_lstm_s8_gate(layer, gate, input, hidden, gates + gate * units);
    for (u = 0; u < units; ++u) {
        const int16_t *const of = gates + u;
        const int32_t kept = ec_clamp(
            ec_lstm_s8_product(of[0], cell[u], layer->forget_multiplier, layer->forget_shift, rounding), -32768, 32767);
        const int32_t added = ec_clamp(
            ec_lstm_s8_product(of[units], of[2 * units], layer->new_multiplier, layer->new_shift, rounding), -32768,
            32767);
        int32_t value = ec_clamp(kept + added, -32768, 32767);
        if (layer->cell_clip > 0) value = ec_clamp(value, -layer->cell_clip, layer->cell_clip);
        cell[u] = (int16_t)value;
        value = ec_sigmoid_s16_tanh(layer->table, value, layer->cell_multiplier, layer->cell_shift);
        value = ec_lstm_s8_product(value, of[3 * units], layer->output_multiplier, layer->output_shift, rounding);
        hidden[u] = ec_narrow(ec_add(value, layer->output_zero_point), -128, 127);
        output[u] = hidden[u];
    }
}

EC_SPECIALIZED void ec_lstm_s8(const ec_lstm_s8_layer *layer, const int8_t *input, int8_t *hidden, int16_t *cell,
                               int8_t *output, void *scratch)
{
    int n, t;
    for (n = 0; n < layer->batches; ++n, hidden += layer->units, cell += layer->units) {
        for (t = 0; t < layer->steps; ++t) {
            const int step = n * layer->batch_stride + t * layer->step_stride;
            ec_lstm_s8_step(layer, input + step * layer->inputs, hidden, cell, output + step * layer->units,
                            (int16_t *)scratch);
        }
    }
}

#endif /* EC_LSTM_S8_H_ */
