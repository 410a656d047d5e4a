/* ADD and SUB of inputs of one shape on cores with Helium (MVE), four elements at a time: what add_s8.h does.
 * Nothing here allocates.
 */
#ifndef EC_ADD_MVE_H_
#define EC_ADD_MVE_H_

#include <arm_mve.h>

/* ec_scale of |x| < 2^30 with a shift to the right or none, rounding twice. */
EC_SPECIALIZED int32x4_t ec_add_mve_scale(int32x4_t x, int32_t multiplier, int shift)
{
    x = vqrdmulhq_n_s32(x, multiplier);
    return shift == 0 ? x : vrshlq_n_s32(vaddq_s32(x, vshrq_n_s32(x, 31)), shift);
}

/* An input less its zero point, lifted by 20 bits and scaled; half of it is exact. */
EC_SPECIALIZED int32x4_t ec_add_mve_lift(int32x4_t x, int zero_point, int32_t multiplier, int shift)
{
    if (multiplier == 1 << 30 && shift == 0) return vsubq_n_s32(vshlq_n_s32(x, 19), zero_point * (1 << 19));
    return ec_add_mve_scale(vsubq_n_s32(vshlq_n_s32(x, 20), zero_point * (1 << 20)), multiplier, shift);
}

EC_SPECIALIZED void ec_add_mve(const ec_add_s8_layer *layer, const int8_t *first, const int8_t *second, int8_t *output,
                               int count)
{
    const int32x4_t lowest = vdupq_n_s32(layer->lowest), highest = vdupq_n_s32(layer->highest);
    for (; count > 0; count -= 4, first += 4, second += 4, output += 4) {
        const mve_pred16_t there = vctp32q((uint32_t)count);
        const int32x4_t one = ec_add_mve_lift(vldrbq_z_s32(first, there), layer->first_zero_point,
                                              layer->first_multiplier, layer->first_shift);
        const int32x4_t two = ec_add_mve_lift(vldrbq_z_s32(second, there), layer->second_zero_point,
                                              layer->second_multiplier, layer->second_shift);
        int32x4_t sum = layer->is_difference ? vsubq_s32(one, two) : vaddq_s32(one, two);
        sum = ec_add_mve_scale(sum, layer->output_multiplier, layer->output_shift);
        sum = vminq_s32(vmaxq_s32(vaddq_n_s32(sum, layer->output_zero_point), lowest), highest);
        vstrbq_p_s32(output, sum, there);
    }
}

#endif /* EC_ADD_MVE_H_ */
