/* What a program calls to use a device: the camera's own calls go to camera.c, all others where they went before. */
#include "camera.h"

#include <stdarg.h>

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *told = va_arg(arguments, void *);
    va_end(arguments);
    struct file *file = file_of(fd);
    return file ? ask_camera(file, fd, request, told) : REAL(ioctl)(fd, request, told);
}

#define OPENING(name)                                                                            \
    int name(const char *path, int flags, ...)                                                   \
    {                                                                                            \
        va_list arguments;                                                                       \
        va_start(arguments, flags);                                                              \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;             \
        va_end(arguments);                                                                       \
        return is_ours(path) ? open_camera(path, flags) : REAL(name)(path, flags, mode);         \
    }
OPENING(open)
OPENING(open64)

int close(int fd)
{
    struct file *file = file_of(fd);
    int result = REAL(close)(fd);
    if (file)
        give_back(file);
    return result;
}

#define MAPPING(name, offset_type)                                                               \
    void *name(void *address, size_t length, int rights, int flags, int fd, offset_type offset)  \
    {                                                                                            \
        struct file *file = file_of(fd);                                                         \
        return REAL(name)(address, length, rights, flags, file ? buffers_of(file) : fd, offset); \
    }
MAPPING(mmap, off_t)
MAPPING(mmap64, off64_t)

#define LOOKING(name, type)                                                                      \
    int name(const char *path, struct type *told)                                                \
    {                                                                                            \
        if (!is_ours(path))                                                                      \
            return REAL(name)(path, told);                                                       \
        *told = (struct type){.st_mode = S_IFCHR | 0660};                                        \
        return look_at_camera();                                                                 \
    }
LOOKING(stat, stat)
LOOKING(stat64, stat64)
