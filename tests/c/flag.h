/* A flag that one thread sets and others read. C99 has no atomic types. Valid C99 and C++11. */

#ifndef JUSTCALL_TESTS_FLAG_H
#define JUSTCALL_TESTS_FLAG_H

#include <pthread.h>

struct flag {
    pthread_mutex_t lock;
    int is_set;
};

static inline void clear_flag(struct flag *flag) {
    pthread_mutex_init(&flag->lock, NULL);
    flag->is_set = 0;
}

static inline void set_flag(struct flag *flag) {
    pthread_mutex_lock(&flag->lock);
    flag->is_set = 1;
    pthread_mutex_unlock(&flag->lock);
}

static inline int is_set(struct flag *flag) {
    pthread_mutex_lock(&flag->lock);
    int is_set = flag->is_set;
    pthread_mutex_unlock(&flag->lock);
    return is_set;
}

#endif
