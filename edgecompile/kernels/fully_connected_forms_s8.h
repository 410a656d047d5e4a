/* FULLY_CONNECTED with weights in a shorter form (weight_forms.h), int8[batches, inputs] to int8[batches, outputs].
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8[batches][inputs]
 * output   int8[batches][outputs]; must not overlap the input
 * scratch  uint32: a table of the values, then the inputs of one batch as int16, two a word; must not overlap the
 *          others; 4-byte aligned
 *
 * The bias has the input's zero point folded in. Nothing is allocated.
 */
#ifndef EC_FULLY_CONNECTED_FORMS_S8_H_
#define EC_FULLY_CONNECTED_FORMS_S8_H_

#include "weight_forms.h"

typedef struct {
    const uint8_t *weights;
    const uint8_t *map;      /* of the blocks' forms */
    const int8_t *values;    /* of the shared forms */
    const int32_t *channels; /* bias and multiplier of each (pairs.h) */
    const int8_t *right_shift;
    int form;
    int batches, inputs, outputs;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_fully_connected_forms_s8_layer;

/* sum + the products of two inputs and two weights. */
EC_SPECIALIZED int32_t ec_fully_connected_forms_s8_two(uint32_t weights, uint32_t inputs, int32_t sum)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(weights), "r"(inputs));
    return sum;
#else
    return ec_rows_two(weights, (int16_t)(inputs & 0xffffu), (int16_t)(inputs >> 16), sum);
#endif
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "fully_connected_forms_dsp.h"
#endif

/* Sums of two outputs over `steps` pairs of inputs. */
EC_SPECIALIZED void ec_fully_connected_forms_s8_row(int form, ec_weight_forms_place *place, const uint32_t *table,
                                                    const uint32_t *inputs, int steps, int32_t *sums)
{
    const uint8_t *from = place->weights;
    int32_t first = 0, second = 0;
    uint32_t even, odd;
    int step;
    if (form == EC_FORM_SHARED4 || form == EC_FORM_SHARED2) {
        EC_UNROLLED
        for (step = 0; step < steps; ++step) {
            from = ec_weight_forms_step(form, from, table, &even, &odd);
            first = ec_fully_connected_forms_s8_two(even, inputs[step], first);
            second = ec_fully_connected_forms_s8_two(odd, inputs[step], second);
        }
    } else {
#ifdef EC_FULLY_CONNECTED_FORMS_DSP_H_
        const uint8_t *const end = place->map + (steps + 7) / 8;
        place->weights = ec_fully_connected_forms_dsp_blocks(form, from, place->map, end, table, inputs, sums);
        place->map = end;
        return;
#else
        for (step = 0; step < steps; step += 8) {
            uint32_t bits = *place->map++;
            while (bits != 0) {
                const int here = ec_weight_forms_first(bits);
                bits ^= 0x80u >> here;
                from = ec_weight_forms_step(form, from, table, &even, &odd);
                first = ec_fully_connected_forms_s8_two(even, inputs[step + here], first);
                second = ec_fully_connected_forms_s8_two(odd, inputs[step + here], second);
            }
        }
#endif
    }
    place->weights = from;
    sums[0] = first;
    sums[1] = second;
}

EC_SPECIALIZED void ec_fully_connected_forms_s8(const ec_fully_connected_forms_s8_layer *layer, const int8_t *input,
                                                int8_t *output, void *scratch)
{
    const ec_pairs_scaling scaling = {layer->channels, layer->right_shift, layer->output_zero_point, layer->lowest,
                                      layer->highest,  layer->is_plain,    layer->rounding, 0, 0, 0};
    uint32_t *const table = (uint32_t *)scratch, *const wide = table + ec_weight_forms_table_words(layer->form);
    const int steps = (layer->inputs + 1) / 2;
    int n, o, i, count;
    ec_weight_forms_table(layer->form, layer->values, table);
    for (n = 0; n < layer->batches; ++n, input += layer->inputs, output += layer->outputs) {
        ec_weight_forms_place place = {layer->weights, layer->map};
        for (i = 0; i < steps; ++i) {
            wide[i] = ec_rows_word(input[2 * i], 2 * i + 1 < layer->inputs ? input[2 * i + 1] : 0);
        }
        for (o = 0; o < layer->outputs; o += count) {
            int32_t sums[4];
            count = 2;
#ifdef EC_FULLY_CONNECTED_FORMS_DSP_H_
            if (layer->form == EC_FORM_SHARED4 && o + 2 < layer->outputs) {
                count = 4;
                ec_fully_connected_forms_dsp_shared(place.weights, table, wide, steps, sums);
                place.weights += 4 * steps;
            }
#endif
            if (count == 2) ec_fully_connected_forms_s8_row(layer->form, &place, table, wide, steps, sums);
            for (i = 0; i < count && o + i < layer->outputs; ++i) {
                output[o + i] = ec_pairs_output(&scaling, o + i, sums[i]);
            }
        }
    }
}

#endif /* EC_FULLY_CONNECTED_FORMS_S8_H_ */
