/* What the camera offers, from the names of the files in its folder, and what it is told there. */
#include "camera.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MOST_MODES = 16 };

static struct mode modes[MOST_MODES];
static __u32 mode_count;

int is_told(const char *word)
{
    char path[512], text[256] = "";
    snprintf(path, sizeof path, "%s/control", getenv("USB_CAMERA"));
    FILE *control = fopen(path, "r");
    if (!control)
        return 0;
    text[fread(text, 1, sizeof text - 1, control)] = 0;
    fclose(control);
    return strstr(text, word) != NULL;
}

int refuse(int reason)
{
    errno = reason;
    return -1;
}

void read_modes(void)
{
    struct dirent **entries;
    int count = mode_count ? 0 : scandir(getenv("USB_CAMERA"), &entries, NULL, alphasort);
    for (int each = 0; each < count && mode_count < MOST_MODES; each++) {
        struct mode *mode = &modes[mode_count];
        char *name = entries[each]->d_name, fourcc[5];
        int at = 0;
        if (sscanf(name, "%4[A-Z0-9]-%ux%u-%n", fourcc, &mode->width, &mode->height, &at) < 3 || !at)
            continue;
        mode->fourcc = v4l2_fourcc(fourcc[0], fourcc[1], fourcc[2], fourcc[3]);
        snprintf(mode->path, sizeof mode->path, "%s/%s", getenv("USB_CAMERA"), name);
        for (char *rate = name + at; *rate && mode->rate_count < MOST_RATES; rate += *rate == ',')
            mode->rates[mode->rate_count++] = strtoul(rate, &rate, 10);
        mode_count++;
    }
}

struct mode *default_mode(void)
{
    return mode_count ? &modes[mode_count - 1] : NULL;
}

static long off_by(const struct mode *mode, long pixels)
{
    return labs((long)mode->width * mode->height - pixels);
}

struct mode *nearest_mode(__u32 fourcc, long pixels)
{
    struct mode *best = modes;
    for (struct mode *mode = modes; mode < modes + mode_count; mode++) {
        int is_kind = mode->fourcc == fourcc, was_kind = best->fourcc == fourcc;
        if (is_kind > was_kind || (is_kind == was_kind && off_by(mode, pixels) < off_by(best, pixels)))
            best = mode;
    }
    return best;
}

int list_formats(struct v4l2_fmtdesc *told)
{
    __u32 number = 0;
    for (__u32 each = 0; each < mode_count; each++) {
        if (each && modes[each].fourcc == modes[each - 1].fourcc)
            continue;
        if (number++ == told->index && told->type == V4L2_BUF_TYPE_VIDEO_CAPTURE) {
            told->pixelformat = modes[each].fourcc;
            told->flags = told->pixelformat == V4L2_PIX_FMT_YUYV ? 0 : V4L2_FMT_FLAG_COMPRESSED;
            snprintf((char *)told->description, sizeof told->description, "%.4s", (char *)&told->pixelformat);
            return 0;
        }
    }
    return refuse(EINVAL);
}

int list_sizes(struct v4l2_frmsizeenum *told)
{
    __u32 number = 0;
    for (__u32 each = 0; each < mode_count; each++)
        if (modes[each].fourcc == told->pixel_format && number++ == told->index) {
            told->type = V4L2_FRMSIZE_TYPE_DISCRETE;
            told->discrete = (struct v4l2_frmsize_discrete){modes[each].width, modes[each].height};
            return 0;
        }
    return refuse(EINVAL);
}

int list_intervals(struct v4l2_frmivalenum *told)
{
    for (struct mode *mode = modes; mode < modes + mode_count; mode++)
        if (mode->fourcc == told->pixel_format && mode->width == told->width && mode->height == told->height &&
            told->index < mode->rate_count) {
            told->type = V4L2_FRMIVAL_TYPE_DISCRETE;
            told->discrete = (struct v4l2_fract){1, mode->rates[told->index]};
            return 0;
        }
    return refuse(EINVAL);
}
