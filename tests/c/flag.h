/* A flag that one thread sets and others read. C99 has no atomic types. Valid C99 and C++11. */

#ifndef JUSTCALL_TESTS_FLAG_H
#define JUSTCALL_TESTS_FLAG_H

static inline void set_flag(int *flag) {
    __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

static inline int is_set(const int *flag) {
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

#endif
