/* ADD and SUB of inputs of one shape on cores with Helium (MVE), four elements at a time: what add_s8.h does.
 * Nothing here allocates.
 */
#ifndef EC_ADD_MVE_H_
#define EC_ADD_MVE_H_

#include <arm_mve.h>

/* ec_scale of |x| < 2^30 with a shift to the right or none, rounding twice; `left` is the shift. */
EC_SPECIALIZED int32x4_t ec_add_mve_scale(int32x4_t x, int32_t multiplier, int shift, int32_t left)
{
    x = vqrdmulhq_n_s32(x, multiplier);
    return shift == 0 ? x : vrshlq_n_s32(vaddq_s32(x, vshrq_n_s32(x, 31)), left);
}

/* What lifts an input by 20 bits less its zero point, and scales it: half of it is exact. */
typedef struct {
    int32x4_t unit;
    int32_t zero, multiplier, left;
    int shift, is_half;
} ec_add_mve_lift;

/* The compiler would make constants anew for each element. */
EC_SPECIALIZED int32_t ec_add_mve_kept(int32_t x)
{
    __asm__("" : "+r"(x));
    return x;
}

EC_SPECIALIZED ec_add_mve_lift ec_add_mve_lift_of(int zero_point, int32_t multiplier, int shift)
{
    const int is_half = multiplier == 1 << 30 && shift == 0, bits = is_half ? 19 : 20;
    const ec_add_mve_lift lift = {vdupq_n_s32(1 << bits),
                                  ec_add_mve_kept(-zero_point * (1 << bits)),
                                  ec_add_mve_kept(multiplier),
                                  ec_add_mve_kept(shift),
                                  shift,
                                  is_half};
    return lift;
}

EC_SPECIALIZED int32x4_t ec_add_mve_lifted(const ec_add_mve_lift *lift, int32x4_t x)
{
    x = vmlasq_n_s32(x, lift->unit, lift->zero);
    return lift->is_half ? x : ec_add_mve_scale(x, lift->multiplier, lift->shift, lift->left);
}

/* How sums become outputs. Where the lowest one is the zero point, how negative numbers are rounded does not matter:
 * the zero point is added, shifted, with the product.
 */
typedef struct {
    int32x4_t multiplier, lowest, highest;
    int32_t zero, left;
    int shift, is_positive;
} ec_add_mve_sum;

EC_SPECIALIZED ec_add_mve_sum ec_add_mve_sum_of(const ec_add_s8_layer *layer)
{
    const int right = -layer->output_shift;
    const int is_positive = layer->lowest >= layer->output_zero_point && right > 0 && right <= 20;
    const int32_t zero = is_positive ? layer->output_zero_point * (1 << right) : layer->output_zero_point;
    const ec_add_mve_sum sum = {vdupq_n_s32(layer->output_multiplier),
                                vdupq_n_s32(layer->lowest),
                                vdupq_n_s32(layer->highest),
                                ec_add_mve_kept(zero),
                                ec_add_mve_kept(-right),
                                -right,
                                is_positive};
    return sum;
}

EC_SPECIALIZED int32x4_t ec_add_mve_output(const ec_add_s8_layer *layer, const ec_add_mve_sum *scale, int32x4_t sum)
{
    if (scale->is_positive) {
        sum = vrshlq_n_s32(vqrdmlashq_n_s32(sum, scale->multiplier, scale->zero), scale->left);
    } else {
        sum = ec_add_mve_scale(sum, layer->output_multiplier, scale->shift, scale->left);
        sum = vaddq_n_s32(sum, scale->zero);
    }
    return vminq_s32(vmaxq_s32(sum, scale->lowest), scale->highest);
}

EC_SPECIALIZED void ec_add_mve(const ec_add_s8_layer *layer, const int8_t *first, const int8_t *second, int8_t *output,
                               int count)
{
    const ec_add_mve_lift one =
        ec_add_mve_lift_of(layer->first_zero_point, layer->first_multiplier, layer->first_shift);
    const ec_add_mve_lift two =
        ec_add_mve_lift_of(layer->second_zero_point, layer->second_multiplier, layer->second_shift);
    const ec_add_mve_sum scale = ec_add_mve_sum_of(layer);
    int i;
    /* Nor are the addresses to be derived from one another. */
    __asm__("" : "+r"(first), "+r"(second), "+r"(output));
    for (i = 0; i < count / 4; ++i, first += 4, second += 4, output += 4) {
        const int32x4_t x = ec_add_mve_lifted(&one, vldrbq_s32(first));
        const int32x4_t y = ec_add_mve_lifted(&two, vldrbq_s32(second));
        vstrbq_s32(output, ec_add_mve_output(layer, &scale, layer->is_difference ? vsubq_s32(x, y) : vaddq_s32(x, y)));
    }
    if (count % 4 != 0) {
        const mve_pred16_t there = vctp32q((uint32_t)(count % 4));
        const int32x4_t x = ec_add_mve_lifted(&one, vldrbq_z_s32(first, there));
        const int32x4_t y = ec_add_mve_lifted(&two, vldrbq_z_s32(second, there));
        const int32x4_t sum = layer->is_difference ? vsubq_s32(x, y) : vaddq_s32(x, y);
        vstrbq_p_s32(output, ec_add_mve_output(layer, &scale, sum), there);
    }
}

#endif /* EC_ADD_MVE_H_ */
