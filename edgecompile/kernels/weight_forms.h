/* Unpacks rows of weights that are stored in a shorter form, for rows.h. Twin: weight_forms.py, weight_packing.py.
 *
 * A row is what two output channels have of weights, two inputs a step. `shared4`: uint8[2] a step, for the even and
 * the odd channel, each the index of input k (low half) and k+1 of a value. `shared2`: uint8 a step, the even
 * channel's two indices in the low half. `block2x2`: int8[4] for each step that is there (even k, odd k, even k+1,
 * odd k+1), `block2x2_shared4`: uint8[2] as in `shared4`; a map has a bit for each step, the highest first, set where
 * it is there. Values are int8[16] or int8[4]. Blocks are 4-byte aligned. Nothing here allocates.
 */
#ifndef EC_WEIGHT_FORMS_H_
#define EC_WEIGHT_FORMS_H_

#include "rows.h"

#define EC_FORM_SHARED4 1
#define EC_FORM_SHARED2 2
#define EC_FORM_BLOCK 3
#define EC_FORM_BLOCK_SHARED4 4

/* Words that a table of the values takes, each for two inputs. */
EC_SPECIALIZED int ec_weight_forms_table_words(int form)
{
    return form == EC_FORM_BLOCK ? 0 : form == EC_FORM_SHARED2 ? 16 : 256;
}

EC_SPECIALIZED void ec_weight_forms_table(int form, const int8_t *values, uint32_t *table)
{
    const int count = form == EC_FORM_SHARED2 ? 4 : 16;
    int low, high;
    if (form == EC_FORM_BLOCK) return;
    for (high = 0; high < count; ++high) {
        const uint32_t above = (uint32_t)values[high] << 16;
        for (low = 0; low < count; ++low) *table++ = ((uint32_t)values[low] & 0xffffu) | above;
    }
}

/* Where in the constants the next row begins. */
typedef struct {
    const uint8_t *weights;
    const uint8_t *map;
} ec_weight_forms_place;

/* The two words of a step; moves on in the weights. */
EC_SPECIALIZED const uint8_t *ec_weight_forms_step(int form, const uint8_t *from, const uint32_t *table, uint32_t *even,
                                                   uint32_t *odd)
{
    if (form == EC_FORM_SHARED2) {
        *even = table[from[0] & 15u];
        *odd = table[from[0] >> 4];
        return from + 1;
    }
    if (form == EC_FORM_BLOCK) {
#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
        const uint32_t four = *(const uint32_t *)(const void *)from;
        __asm__("sxtb16 %0, %1" : "=r"(*even) : "r"(four));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(*odd) : "r"(four));
#else
        *even = ec_rows_word((int8_t)from[0], (int8_t)from[2]);
        *odd = ec_rows_word((int8_t)from[1], (int8_t)from[3]);
#endif
        return from + 4;
    }
    *even = table[from[0]];
    *odd = table[from[1]];
    return from + 2;
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "weight_forms_dsp.h"
#endif

/* How many steps of a byte of the map come before the first that is there; the byte is not 0. */
EC_SPECIALIZED int ec_weight_forms_first(uint32_t bits)
{
#if defined(__GNUC__)
    return __builtin_clz(bits) - 24;
#else
    int before = 0;
    while (!(bits & 0x80u)) {
        bits <<= 1;
        ++before;
    }
    return before;
#endif
}

/* Unpack a row of `steps` to `row`: a list for the blocks' forms. Gives the place behind its last word; no row is
 * empty.
 */
EC_SPECIALIZED uint32_t *ec_weight_forms_row(int form, ec_weight_forms_place *place, const uint32_t *table, int steps,
                                             uint32_t *row)
{
    const uint8_t *from = place->weights;
    int step;
    if (form == EC_FORM_SHARED4 || form == EC_FORM_SHARED2) {
        EC_UNROLLED
        for (step = 0; step < steps; ++step, row += 2) from = ec_weight_forms_step(form, from, table, row, row + 1);
    } else {
        const uint32_t *const begin = row;
#ifdef EC_WEIGHT_FORMS_DSP_H_
        const uint8_t *const end = place->map + (steps + 7) / 8;
        step = 0;
        if (form == EC_FORM_BLOCK) {
            row = ec_weight_forms_dsp_blocks(&from, place->map, end, row);
        } else {
            row = ec_weight_forms_dsp_shared_blocks(&from, place->map, end, table, row);
        }
        place->map = end;
#else
        int last = 0;
        for (step = 0; step < steps; step += 8) {
            uint32_t bits = *place->map++;
            while (bits != 0) {
                const int here = ec_weight_forms_first(bits);
                bits ^= 0x80u >> here;
                row[0] = (uint32_t)(step + here - last);
                last = step + here;
                from = ec_weight_forms_step(form, from, table, row + 1, row + 2);
                row += 3;
            }
        }
#endif
        if (row == begin) {
            row[0] = row[1] = row[2] = 0;
            row += 3;
        }
    }
    place->weights = from;
    return row;
}

#endif /* EC_WEIGHT_FORMS_H_ */
