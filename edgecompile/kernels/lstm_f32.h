/* UNIDIRECTIONAL_SEQUENCE_LSTM, float32: steps of float[inputs] to steps of float[units].
 *
 * layer    literal settings; of each gate (forget, input, cell, output) weights [4][units][inputs] and
 *          [4][units][units], and a bias
 * input    float32; `step_stride` and `batch_stride` count steps of input and output
 * hidden, cell   float32[batches][units], kept from run to run
 * output   float32; must not overlap
 * scratch  float32[4][units]
 *
 * Nothing is allocated.
 */
#ifndef EC_LSTM_F32_H_
#define EC_LSTM_F32_H_

#include "elements.h"
#include "unary_f32.h"

typedef struct {
    const float *input_weights, *hidden_weights, *bias;
    int batches, steps, inputs, units, step_stride, batch_stride;
    float cell_clip;
} ec_lstm_f32_layer;

EC_SPECIALIZED float ec_lstm_f32_dense(const float *weights, const float *from, int count)
{
    float sum = 0.0f;
    int i;
    for (i = 0; i < count; ++i) sum += weights[i] * from[i];
    return sum;
}

EC_SPECIALIZED void ec_lstm_f32_step(const ec_lstm_f32_layer *layer, const float *input, float *hidden, float *cell,
                                     float *output, float *gates)
{
    const int units = layer->units;
    int row, u;
    for (row = 0; row < 4 * units; ++row) {
        const float given = ec_lstm_f32_dense(layer->input_weights + row * layer->inputs, input, layer->inputs);
        const float past = ec_lstm_f32_dense(layer->hidden_weights + row * units, hidden, units);
        const float sum = given + layer->bias[row] + past;
        gates[row] = row / units == 2 ? tanhf(sum) : ec_unary_f32_logistic(sum);
    }
    for (u = 0; u < units; ++u) {
        const float kept = gates[u] * cell[u], added = gates[units + u] * gates[2 * units + u];
        cell[u] = kept + added;
        if (layer->cell_clip > 0.0f) cell[u] = ec_clamp_real(cell[u], -layer->cell_clip, layer->cell_clip);
        hidden[u] = tanhf(cell[u]) * gates[3 * units + u];
        output[u] = hidden[u];
    }
}

EC_SPECIALIZED void ec_lstm_f32(const ec_lstm_f32_layer *layer, const float *input, float *hidden, float *cell,
                                float *output, void *scratch)
{
    int n, t;
    for (n = 0; n < layer->batches; ++n, hidden += layer->units, cell += layer->units) {
        for (t = 0; t < layer->steps; ++t) {
            const int step = n * layer->batch_stride + t * layer->step_stride;
            ec_lstm_f32_step(layer, input + step * layer->inputs, hidden, cell, output + step * layer->units,
                             (float *)scratch);
        }
    }
}

#endif /* EC_LSTM_F32_H_ */
