/* The camera: what it offers (offers.c), what it does (camera.c), and the calls that reach it (preload.c). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum { MOST_RATES = 8 };

struct mode {
    char path[512];
    __u32 fourcc, width, height, rates[MOST_RATES], rate_count;
};

int is_told(const char *word);
int refuse(int reason); /* -1, with the reason in errno */

void read_modes(void);
struct mode *default_mode(void);
struct mode *nearest_mode(__u32 fourcc, long pixels); /* that kind before all, then the size */
int list_formats(struct v4l2_fmtdesc *told);
int list_sizes(struct v4l2_frmsizeenum *told);
int list_intervals(struct v4l2_frmivalenum *told);

struct file; /* opened, perhaps under several descriptors */

int is_ours(const char *path);
struct file *file_of(int fd); /* NULL: not the camera; it holds for every duplicate of a descriptor */
int open_camera(const char *path, int flags);
int look_at_camera(void); /* 0, or -1 with the reason in errno, as `stat` of its node gives them */
int ask_camera(struct file *file, int fd, unsigned long request, void *told);
int buffers_of(const struct file *file);
void give_back(struct file *file); /* one of its descriptors was closed */
