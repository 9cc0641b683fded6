/*
 * Preloaded into the server: writes down every change of a file below RECORD_ROOT, in the order in which the kernel made
 * it, and everything that is sent over sockets, to RECORD_LOG. The log is read by test/helpers/recorded-calls.ts.
 *
 * With SHORT_WRITES=1 nothing is recorded; the system takes only a part of each write to a file below RECORD_ROOT whose
 * name ends in .log.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, SYNC_BEGIN, SYNC_END, TRUNCATE, RENAME, UNLINK, MKDIR, RMDIR, SEND, UNSUPPORTED };

struct event {
  uint32_t type;
  int32_t handle;
  int64_t offset;
  uint32_t flags;
  uint32_t bytes;
};

#define HANDLES 65536
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_length;
static int log_fd = -1;
static int shortens;
/* By descriptor: its number in the log, 0 when it is of no interest, -1 for a socket. */
static int handles[HANDLES];
static char synced[HANDLES];
static char is_segment[HANDLES];
static int last_handle;
static int last_sync;

__attribute__((constructor)) static void begin(void) {
  root = getenv("RECORD_ROOT");
  if (!root) return;
  root_length = strlen(root);
  shortens = getenv("SHORT_WRITES") != NULL;
  const char *path = getenv("RECORD_LOG");
  if (path && !shortens) log_fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put_all(const char *from, size_t length) {
  while (length > 0) {
    ssize_t written = syscall(SYS_write, log_fd, from, length);
    if (written <= 0) abort();
    from += written;
    length -= written;
  }
}

static void put(uint32_t type, int32_t handle, int64_t offset, uint32_t flags, const void *data, size_t bytes) {
  if (log_fd < 0) return;
  struct event event = {type, handle, offset, flags, (uint32_t)bytes};
  put_all((const char *)&event, sizeof event);
  if (bytes > 0) put_all(data, bytes);
}

static int is_inside(const char *path) {
  return root && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static int handle_of(int fd) { return fd >= 0 && fd < HANDLES ? handles[fd] : 0; }

static int ends_with(const char *text, const char *end) {
  size_t length = strlen(text), end_length = strlen(end);
  return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int record_open(const char *path, int flags, mode_t mode) {
  /* Each run believes that the machine has been started anew. */
  if (root && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 && getenv("RECORD_BOOT_ID"))
    path = getenv("RECORD_BOOT_ID");
  pthread_mutex_lock(&lock);
  int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  int failure = errno;
  if (fd >= 0 && fd < HANDLES) {
    handles[fd] = 0;
    if (is_inside(path)) {
      handles[fd] = ++last_handle;
      synced[fd] = (flags & O_DSYNC) != 0;
      is_segment[fd] = ends_with(path, ".log");
      put(OPEN, handles[fd], 0, flags & (O_CREAT | O_TRUNC), path, strlen(path));
    }
  }
  pthread_mutex_unlock(&lock);
  errno = failure;
  return fd;
}

static mode_t mode_of(int flags, va_list list) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; }

#define OPENER(name)                         \
  int name(const char *path, int flags, ...) { \
    va_list list;                            \
    va_start(list, flags);                   \
    mode_t mode = mode_of(flags, list);      \
    va_end(list);                            \
    return record_open(path, flags, mode);   \
  }
OPENER(open)
OPENER(open64)

int close(int fd) {
  pthread_mutex_lock(&lock);
  if (fd >= 0 && fd < HANDLES) handles[fd] = 0;
  int result = syscall(SYS_close, fd);
  pthread_mutex_unlock(&lock);
  return result;
}

static int is_socket(int fd) {
  struct stat state;
  return fstat(fd, &state) == 0 && S_ISSOCK(state.st_mode);
}

/* What was written: the first `bytes` bytes of the buffers. */
static void put_buffers(uint32_t type, int handle, int64_t offset, uint32_t flags, const struct iovec *iov, int count,
                        size_t bytes) {
  char *joined = malloc(bytes + 1);
  size_t at = 0;
  for (int index = 0; index < count && at < bytes; index++) {
    size_t part = iov[index].iov_len < bytes - at ? iov[index].iov_len : bytes - at;
    memcpy(joined + at, iov[index].iov_base, part);
    at += part;
  }
  put(type, handle, offset, flags, joined, bytes);
  free(joined);
}

static ssize_t shortened(int fd, const struct iovec *iov, int count, off_t offset, size_t length) {
  size_t wanted = length > 1 ? length - length / 3 - 1 + (length == 2) : length;
  size_t first = iov[0].iov_len;
  (void)count;
  return syscall(SYS_pwrite64, fd, iov[0].iov_base, first < wanted ? first : wanted, offset);
}

/* offset -1: at the position of the descriptor. */
static ssize_t record_write(int fd, const struct iovec *iov, int count, off_t offset) {
  int handle = handle_of(fd);
  if (handle <= 0) {
    if (log_fd < 0 || offset >= 0 || !is_socket(fd)) {
      if (offset >= 0) return syscall(SYS_pwritev, fd, iov, count, offset, 0);
      return syscall(SYS_writev, fd, iov, count);
    }
    /* Written down before it is sent: an answer that may have been received counts as given. */
    size_t length = 0;
    for (int index = 0; index < count; index++) length += iov[index].iov_len;
    pthread_mutex_lock(&lock);
    ssize_t sent = syscall(SYS_writev, fd, iov, count);
    int failure = errno;
    if (sent > 0) put_buffers(SEND, fd, 0, 0, iov, count, sent);
    pthread_mutex_unlock(&lock);
    errno = failure;
    return sent;
  }
  size_t length = 0;
  for (int index = 0; index < count; index++) length += iov[index].iov_len;
  if (shortens && is_segment[fd] && offset >= 0 && length > 1) return shortened(fd, iov, count, offset, length);
  pthread_mutex_lock(&lock);
  off_t at = offset;
  if (at < 0) {
    at = lseek(fd, 0, SEEK_CUR);
    int flags = fcntl(fd, F_GETFL);
    struct stat state;
    if ((flags & O_APPEND) && fstat(fd, &state) == 0) at = state.st_size;
  }
  ssize_t written =
      offset >= 0 ? syscall(SYS_pwritev, fd, iov, count, offset, 0) : syscall(SYS_writev, fd, iov, count);
  int failure = errno;
  if (written > 0) put_buffers(WRITE, handle, at, synced[fd], iov, count, written);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return written;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec iov = {(void *)bytes, length};
  if (handle_of(fd) <= 0 && (log_fd < 0 || !is_socket(fd))) return syscall(SYS_write, fd, bytes, length);
  return record_write(fd, &iov, 1, -1);
}
ssize_t writev(int fd, const struct iovec *iov, int count) { return record_write(fd, iov, count, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  struct iovec iov = {(void *)bytes, length};
  return record_write(fd, &iov, 1, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }
ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset) { return record_write(fd, iov, count, offset); }
ssize_t pwritev64(int fd, const struct iovec *iov, int count, off64_t offset) {
  return record_write(fd, iov, count, offset);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  if (log_fd < 0 || flags != 0 || message->msg_control != NULL || !is_socket(fd))
    return syscall(SYS_sendmsg, fd, message, flags);
  return record_write(fd, message->msg_iov, message->msg_iovlen, -1);
}

static int record_sync(int fd, int number) {
  int handle = handle_of(fd);
  if (handle <= 0) return syscall(number, fd);
  pthread_mutex_lock(&lock);
  int sync = ++last_sync;
  put(SYNC_BEGIN, handle, sync, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  int result = syscall(number, fd);
  int failure = errno;
  pthread_mutex_lock(&lock);
  if (result == 0) put(SYNC_END, handle, sync, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}
int fsync(int fd) { return record_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return record_sync(fd, SYS_fdatasync); }

int ftruncate(int fd, off_t length) {
  int handle = handle_of(fd);
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_ftruncate, fd, length);
  int failure = errno;
  if (result == 0 && handle > 0) put(TRUNCATE, handle, length, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

static int put_path(uint32_t type, const char *path, int result) {
  int failure = errno;
  if (result == 0 && is_inside(path)) put(type, 0, 0, 0, path, strlen(path));
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}
int rename(const char *from, const char *to) {
  char both[2 * PATH_MAX];
  snprintf(both, sizeof both, "%s\n%s", from, to);
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  int failure = errno;
  if (result == 0 && is_inside(to)) put(RENAME, 0, 0, 0, both, strlen(both));
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}
int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  return put_path(UNLINK, path, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}
int rmdir(const char *path) {
  pthread_mutex_lock(&lock);
  return put_path(RMDIR, path, syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR));
}
int mkdir(const char *path, mode_t mode) {
  pthread_mutex_lock(&lock);
  return put_path(MKDIR, path, syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

/* Other ways to change a file: the test fails when the server uses one. */
int fallocate(int fd, int mode, off_t offset, off_t length) {
  if (handle_of(fd) > 0) put(UNSUPPORTED, 0, 0, 0, "fallocate", 9);
  return syscall(SYS_fallocate, fd, mode, offset, length);
}
int posix_fallocate(int fd, off_t offset, off_t length) { return fallocate(fd, 0, offset, length) == 0 ? 0 : errno; }
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags) {
  if (handle_of(out) > 0) put(UNSUPPORTED, 0, 0, 0, "copy_file_range", 15);
  return syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags);
}
