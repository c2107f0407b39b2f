/* A USB camera without USB: answers for /dev/video9 inside one process as the kernel's uvcvideo driver would.
 *
 *     LD_PRELOAD=camera.so USB_CAMERA=FOLDER program
 *
 * The interface is the documented one of Video for Linux 2 (linux/videodev2.h), streaming by mapped buffers. FOLDER holds
 * what the camera offers: a file FOURCC-WIDTHxHEIGHT-RATE,RATE,... for each format and size, the pictures one behind the
 * other, each after its length (32 bits, this machine's order), filmed at the first of the rates. The file `control` may
 * hold words: `gone` (pulled out, until the word is), `busy` (another program has it), `denied` (no right to open it),
 * `silent` (no picture comes), `corrupt` (half of each picture is lost on the bus). /dev/video10 is the node of metadata
 * that such cameras have beside, and NAMED the first one's lasting name.
 *
 * A socket pair stands behind each descriptor: a byte in it for each filled buffer, and its other end closed once the
 * camera is gone, so that poll and select need no help.
 */
#include "camera.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NODE "/dev/video9"
#define METADATA "/dev/video10"
#define NAMED "/dev/v4l/by-id/usb-TeaWatch_Test_Camera-video-index0"

enum { MOST_FILES = 8, MOST_BUFFERS = 32, BUFFER_BYTES = 4 << 20 };

struct file {
    ino_t inode;
    int peer, memory, is_metadata;
    struct mode *mode;
    __u32 rate, buffer_count;
    struct v4l2_buffer buffers[MOST_BUFFERS];
    int queue[MOST_BUFFERS], queued, done[MOST_BUFFERS], finished;
    int is_streaming, is_gone;
    pthread_t thread;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files[MOST_FILES], *owner;

static void pull_out(struct file *file)
{
    file->is_gone = 1;
    shutdown(file->peer, SHUT_RDWR);
}

/* The picture that a camera filming at the file's first rate shows `number` pictures after it was started. */
static __u32 picture(const struct file *file, const char *film, size_t film_bytes, __u32 number, const char **data)
{
    size_t at = 0;
    __u32 length = 0;
    for (__u32 left = (__u64)number * file->mode->rates[0] / file->rate;; left--) {
        if (at + sizeof length > film_bytes)
            at = 0; /* once more from the beginning */
        memcpy(&length, film + at, sizeof length);
        *data = film + at + sizeof length;
        at += sizeof length + length;
        if (!left)
            return length;
    }
}

static void fill(struct file *file, const char *data, __u32 length, __u32 number, const struct timespec *now)
{
    int index = file->queue[0];
    struct v4l2_buffer *buffer = &file->buffers[index];
    char *memory = REAL(mmap)(NULL, length, PROT_WRITE, MAP_SHARED, file->memory, buffer->m.offset);
    memmove(file->queue, file->queue + 1, --file->queued * sizeof *file->queue);
    buffer->bytesused = length;
    memcpy(memory, data, length);
    if (is_told("corrupt")) {
        buffer->bytesused = length / 2;
        memset(memory + length / 4, 0x5a, length / 8);
    }
    munmap(memory, length);
    buffer->sequence = number;
    buffer->timestamp = (struct timeval){now->tv_sec, now->tv_nsec / 1000};
    buffer->flags = V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_TSTAMP_SRC_SOE;
    file->done[file->finished++] = index;
    send(file->peer, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void *film(void *argument)
{
    struct file *file = argument;
    struct timespec next;
    int source = open(file->mode->path, O_RDONLY);
    size_t length = lseek(source, 0, SEEK_END);
    char *pictures = mmap(NULL, length, PROT_READ, MAP_PRIVATE, source, 0);
    close(source);
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (__u32 number = 0;; number++) {
        const char *data;
        next.tv_nsec += 1000000000L / file->rate;
        next.tv_sec += next.tv_nsec / 1000000000L;
        next.tv_nsec %= 1000000000L;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        pthread_mutex_lock(&lock);
        int goes_on = file->is_streaming && !file->is_gone;
        if (goes_on && is_told("gone")) {
            pull_out(file);
            goes_on = 0;
        }
        if (goes_on && file->queued && !is_told("silent")) { /* without an empty buffer the picture is lost */
            __u32 bytes = picture(file, pictures, length, number, &data);
            fill(file, data, bytes, number, &next);
        }
        pthread_mutex_unlock(&lock);
        if (!goes_on)
            break;
    }
    munmap(pictures, length);
    return NULL;
}

static void stop(struct file *file)
{
    if (file->is_streaming) {
        file->is_streaming = 0;
        pthread_mutex_unlock(&lock);
        pthread_join(file->thread, NULL);
        pthread_mutex_lock(&lock);
    }
    file->queued = file->finished = 0;
}

static int claim(struct file *file)
{
    if (is_told("busy") || (owner && owner != file) || file->is_streaming)
        return refuse(EBUSY);
    owner = file;
    return 0;
}

static void tell_format(const struct file *file, struct v4l2_pix_format *pix)
{
    __u32 is_raw = file->mode->fourcc == V4L2_PIX_FMT_YUYV;
    *pix = (struct v4l2_pix_format){
        .width = file->mode->width, .height = file->mode->height, .pixelformat = file->mode->fourcc,
        .field = V4L2_FIELD_NONE, .colorspace = V4L2_COLORSPACE_SRGB, .bytesperline = is_raw * 2 * file->mode->width,
        .sizeimage = is_raw ? 2 * file->mode->width * file->mode->height : BUFFER_BYTES,
    };
}

static int set_format(struct file *file, struct v4l2_format *format, int is_trial)
{
    struct mode *before = file->mode;
    struct v4l2_pix_format *pix = &format->fmt.pix;
    if (!is_trial && claim(file))
        return -1;
    file->mode = nearest_mode(pix->pixelformat, (long)pix->width * pix->height);
    tell_format(file, pix);
    if (is_trial)
        file->mode = before;
    else
        file->rate = file->mode->rates[0];
    return 0;
}

static int set_rate(struct file *file, struct v4l2_fract *interval)
{
    double wanted = interval->numerator ? (double)interval->denominator / interval->numerator : file->rate;
    if (claim(file))
        return -1;
    for (__u32 each = 0; each < file->mode->rate_count; each++) {
        double off = file->mode->rates[each] - wanted, least = file->rate - wanted;
        if (off * off < least * least)
            file->rate = file->mode->rates[each];
    }
    return 0;
}

static int make_buffers(struct file *file, struct v4l2_requestbuffers *wanted)
{
    if (wanted->memory != V4L2_MEMORY_MMAP || wanted->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
        return refuse(EINVAL);
    if (claim(file))
        return -1;
    wanted->count = wanted->count > MOST_BUFFERS ? MOST_BUFFERS : wanted->count;
    wanted->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    file->buffer_count = wanted->count;
    owner = wanted->count ? file : NULL;
    for (__u32 each = 0; each < wanted->count; each++)
        file->buffers[each] = (struct v4l2_buffer){
            .index = each, .type = wanted->type, .memory = V4L2_MEMORY_MMAP, .field = V4L2_FIELD_NONE,
            .flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC, .m.offset = each * BUFFER_BYTES, .length = BUFFER_BYTES,
        };
    return ftruncate(file->memory, (off_t)wanted->count * BUFFER_BYTES);
}

static int put_buffer(struct file *file, struct v4l2_buffer *buffer)
{
    if (buffer->index >= file->buffer_count || buffer->memory != V4L2_MEMORY_MMAP || file->queued == MOST_BUFFERS)
        return refuse(EINVAL);
    file->queue[file->queued++] = buffer->index;
    buffer->flags = file->buffers[buffer->index].flags = V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    return 0;
}

static int take_buffer(struct file *file, int fd, struct v4l2_buffer *buffer)
{
    char byte;
    if (!file->is_streaming)
        return refuse(EINVAL);
    pthread_mutex_unlock(&lock); /* waits here, unless it was opened with O_NONBLOCK */
    ssize_t got = recv(fd, &byte, 1, 0);
    pthread_mutex_lock(&lock);
    if (got < 0)
        return -1;
    if (file->is_gone || !file->finished)
        return refuse(file->is_gone ? ENODEV : EINVAL);
    *buffer = file->buffers[file->done[0]];
    memmove(file->done, file->done + 1, --file->finished * sizeof *file->done);
    return 0;
}

static int start(struct file *file)
{
    if (claim(file))
        return -1;
    file->is_streaming = 1;
    return pthread_create(&file->thread, NULL, film, file);
}

static int answer(struct file *file, int fd, unsigned long request, void *told)
{
    struct v4l2_capability *able = told;
    struct v4l2_streamparm *parameters = told;
    struct v4l2_input *input = told;
    struct v4l2_format *format = told;

    if (file->is_gone || is_told("gone")) {
        pull_out(file);
        return refuse(ENODEV);
    }
    if (request == VIDIOC_QUERYCAP) {
        __u32 own = V4L2_CAP_STREAMING | (file->is_metadata ? V4L2_CAP_META_CAPTURE : V4L2_CAP_VIDEO_CAPTURE);
        *able = (struct v4l2_capability){
            .driver = "uvcvideo", .card = "TeaWatch: Test Camera", .bus_info = "usb-0000:00:14.0-1", .version = 0x60100,
            .device_caps = own,
            .capabilities = own | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_META_CAPTURE | V4L2_CAP_DEVICE_CAPS,
        };
        return 0;
    }
    if (file->is_metadata)
        return refuse(ENOTTY);
    switch (request) {
    case VIDIOC_ENUM_FMT: return list_formats(told);
    case VIDIOC_ENUM_FRAMESIZES: return list_sizes(told);
    case VIDIOC_ENUM_FRAMEINTERVALS: return list_intervals(told);
    case VIDIOC_G_FMT: tell_format(file, &format->fmt.pix); return 0;
    case VIDIOC_TRY_FMT: return set_format(file, told, 1);
    case VIDIOC_S_FMT: return set_format(file, told, 0);
    case VIDIOC_S_PARM:
        if (set_rate(file, &parameters->parm.capture.timeperframe))
            return -1; /* fall through */
    case VIDIOC_G_PARM:
        parameters->parm.capture = (struct v4l2_captureparm){
            .capability = V4L2_CAP_TIMEPERFRAME, .timeperframe = {1, file->rate}};
        return 0;
    case VIDIOC_ENUMINPUT:
        if (input->index)
            return refuse(EINVAL);
        *input = (struct v4l2_input){.name = "Camera 1", .type = V4L2_INPUT_TYPE_CAMERA};
        return 0;
    case VIDIOC_G_INPUT: *(int *)told = 0; return 0;
    case VIDIOC_S_INPUT: return *(int *)told ? refuse(EINVAL) : 0;
    case VIDIOC_REQBUFS: return make_buffers(file, told);
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = told;
        if (buffer->index >= file->buffer_count)
            return refuse(EINVAL);
        *buffer = file->buffers[buffer->index];
        return 0;
    }
    case VIDIOC_QBUF: return put_buffer(file, told);
    case VIDIOC_DQBUF: return take_buffer(file, fd, told);
    case VIDIOC_STREAMON: return start(file);
    case VIDIOC_STREAMOFF:
        for (char byte; recv(fd, &byte, 1, MSG_DONTWAIT) > 0;)
            ;
        stop(file);
        return 0;
    case VIDIOC_QUERYCTRL: return refuse(EINVAL);
    default: return refuse(ENOTTY); /* television standards, tuners, cropping: no webcam has any */
    }
}

int ask_camera(struct file *file, int fd, unsigned long request, void *told)
{
    pthread_mutex_lock(&lock);
    int result = answer(file, fd, request, told);
    pthread_mutex_unlock(&lock);
    return result;
}

int is_ours(const char *path)
{
    return path && getenv("USB_CAMERA") && (!strcmp(path, NODE) || !strcmp(path, METADATA) || !strcmp(path, NAMED));
}

int look_at_camera(void)
{
    return is_told("gone") ? refuse(ENOENT) : 0;
}

int open_camera(const char *path, int flags)
{
    struct file **place = files, *file;
    struct stat socket;
    int pair[2];
    if (is_told("gone") || is_told("denied"))
        return refuse(is_told("gone") ? ENOENT : EACCES);
    pthread_mutex_lock(&lock);
    read_modes();
    while (*place && place < files + MOST_FILES - 1)
        place++;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (flags & O_NONBLOCK ? SOCK_NONBLOCK : 0), 0, pair);
    fstat(pair[0], &socket);
    *place = file = calloc(1, sizeof *file);
    file->inode = socket.st_ino;
    file->peer = pair[1];
    file->memory = memfd_create("buffers", MFD_CLOEXEC);
    file->is_metadata = !strcmp(path, METADATA);
    file->mode = default_mode();
    file->rate = file->mode->rates[0];
    pthread_mutex_unlock(&lock);
    return pair[0];
}

struct file *file_of(int fd)
{
    struct stat socket;
    struct file *found = NULL;
    if (fd < 0 || !default_mode() || fstat(fd, &socket) || !S_ISSOCK(socket.st_mode))
        return NULL;
    pthread_mutex_lock(&lock);
    for (int each = 0; each < MOST_FILES && !found; each++)
        found = files[each] && files[each]->inode == socket.st_ino ? files[each] : NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

int buffers_of(const struct file *file)
{
    return file->memory;
}

void give_back(struct file *file)
{
    char byte;
    if (!file->is_gone && recv(file->peer, &byte, 1, MSG_DONTWAIT))
        return; /* another descriptor is still open */
    pthread_mutex_lock(&lock);
    stop(file);
    for (int each = 0; each < MOST_FILES; each++)
        files[each] = files[each] == file ? NULL : files[each];
    owner = owner == file ? NULL : owner;
    pthread_mutex_unlock(&lock);
    REAL(close)(file->peer);
    REAL(close)(file->memory);
    free(file);
}
