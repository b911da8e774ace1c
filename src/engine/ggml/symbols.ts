/**
 * The part of the ggml C API that the engine calls, as koffi signatures. Pointers are opaque bigints; the only
 * struct passed by value is `ggml_init_params`. The same signatures were run on four llama.cpp releases
 * (b8390, b10361, v0.4.0, v0.5.0). Every symbol is resolved at start, so drift is an error at load, not a crash later.
 *
 * @module engine/ggml/symbols
 */

/** name -> C prototype, in libggml-base. */
export const BASE_SYMBOLS = {
  ggml_init: 'void* ggml_init(ggml_init_params params)',
  ggml_free: 'void ggml_free(void* ctx)',
  ggml_tensor_overhead: 'size_t ggml_tensor_overhead()',
  ggml_graph_overhead_custom: 'size_t ggml_graph_overhead_custom(size_t size, bool grads)',
  ggml_new_graph_custom: 'void* ggml_new_graph_custom(void* ctx, size_t size, bool grads)',
  ggml_build_forward_expand: 'void ggml_build_forward_expand(void* graph, void* tensor)',
  ggml_new_tensor: 'void* ggml_new_tensor(void* ctx, int type, int n_dims, int64_t* ne)',
  ggml_set_input: 'void ggml_set_input(void* t)',
  ggml_set_output: 'void ggml_set_output(void* t)',
  ggml_row_size: 'size_t ggml_row_size(int type, int64_t ne)',
  ggml_log_set: 'void ggml_log_set(void* callback, void* user)',

  ggml_get_rows: 'void* ggml_get_rows(void* ctx, void* a, void* ids)',
  ggml_set_rows: 'void* ggml_set_rows(void* ctx, void* a, void* b, void* ids)',
  ggml_add: 'void* ggml_add(void* ctx, void* a, void* b)',
  ggml_mul: 'void* ggml_mul(void* ctx, void* a, void* b)',
  ggml_scale: 'void* ggml_scale(void* ctx, void* a, float s)',
  ggml_tanh: 'void* ggml_tanh(void* ctx, void* a)',
  ggml_norm: 'void* ggml_norm(void* ctx, void* a, float eps)',
  ggml_rms_norm: 'void* ggml_rms_norm(void* ctx, void* a, float eps)',
  ggml_mul_mat: 'void* ggml_mul_mat(void* ctx, void* a, void* b)',
  ggml_cont: 'void* ggml_cont(void* ctx, void* a)',
  ggml_reshape_2d: 'void* ggml_reshape_2d(void* ctx, void* a, int64_t ne0, int64_t ne1)',
  ggml_reshape_3d: 'void* ggml_reshape_3d(void* ctx, void* a, int64_t ne0, int64_t ne1, int64_t ne2)',
  ggml_view_1d: 'void* ggml_view_1d(void* ctx, void* a, int64_t ne0, size_t offset)',
  ggml_view_3d:
    'void* ggml_view_3d(void* ctx, void* a, int64_t ne0, int64_t ne1, int64_t ne2, size_t nb1, size_t nb2, size_t offset)',
  ggml_concat: 'void* ggml_concat(void* ctx, void* a, void* b, int dim)',
  ggml_pad: 'void* ggml_pad(void* ctx, void* a, int p0, int p1, int p2, int p3)',
  ggml_view_2d: 'void* ggml_view_2d(void* ctx, void* a, int64_t ne0, int64_t ne1, size_t nb1, size_t offset)',
  ggml_permute: 'void* ggml_permute(void* ctx, void* a, int a0, int a1, int a2, int a3)',
  ggml_rope_ext:
    'void* ggml_rope_ext(void* ctx, void* a, void* pos, void* factors, int n_dims, int mode, int n_ctx_orig, float freq_base, float freq_scale, float ext_factor, float attn_factor, float beta_fast, float beta_slow)',
  ggml_flash_attn_ext:
    'void* ggml_flash_attn_ext(void* ctx, void* q, void* k, void* v, void* mask, float scale, float max_bias, float logit_softcap)',
  ggml_flash_attn_ext_set_prec: 'void ggml_flash_attn_ext_set_prec(void* t, int prec)',
  ggml_swiglu: 'void* ggml_swiglu(void* ctx, void* a)',
  ggml_swiglu_split: 'void* ggml_swiglu_split(void* ctx, void* a, void* b)',
  ggml_geglu_split: 'void* ggml_geglu_split(void* ctx, void* a, void* b)',
  ggml_gelu: 'void* ggml_gelu(void* ctx, void* a)',
  ggml_reshape_4d:
    'void* ggml_reshape_4d(void* ctx, void* a, int64_t ne0, int64_t ne1, int64_t ne2, int64_t ne3)',

  ggml_backend_alloc_ctx_tensors_from_buft:
    'void* ggml_backend_alloc_ctx_tensors_from_buft(void* ctx, void* buft)',
  ggml_backend_buffer_set_usage: 'void ggml_backend_buffer_set_usage(void* buffer, int usage)',
  ggml_backend_buffer_get_size: 'size_t ggml_backend_buffer_get_size(void* buffer)',
  ggml_backend_buffer_free: 'void ggml_backend_buffer_free(void* buffer)',
  ggml_backend_tensor_set: 'void ggml_backend_tensor_set(void* t, void* data, size_t offset, size_t size)',
  ggml_backend_tensor_get: 'void ggml_backend_tensor_get(void* t, void* data, size_t offset, size_t size)',
  ggml_backend_tensor_memset:
    'void ggml_backend_tensor_memset(void* t, uint8_t value, size_t offset, size_t size)',
  ggml_backend_free: 'void ggml_backend_free(void* backend)',
  ggml_backend_dev_name: 'const char* ggml_backend_dev_name(void* dev)',
  ggml_backend_dev_description: 'const char* ggml_backend_dev_description(void* dev)',
  ggml_backend_dev_memory: 'void ggml_backend_dev_memory(void* dev, _Out_ size_t* free, _Out_ size_t* total)',
  ggml_backend_dev_type: 'int ggml_backend_dev_type(void* dev)',
  ggml_backend_dev_backend_reg: 'void* ggml_backend_dev_backend_reg(void* dev)',
  ggml_backend_dev_init: 'void* ggml_backend_dev_init(void* dev, void* params)',
  ggml_backend_dev_buffer_type: 'void* ggml_backend_dev_buffer_type(void* dev)',
  ggml_backend_dev_supports_op: 'bool ggml_backend_dev_supports_op(void* dev, void* op)',
  ggml_backend_reg_name: 'const char* ggml_backend_reg_name(void* reg)',
  ggml_backend_reg_get_proc_address: 'void* ggml_backend_reg_get_proc_address(void* reg, const char* name)',

  ggml_backend_sched_new:
    'void* ggml_backend_sched_new(void** backends, void* bufts, int n, size_t graph_size, bool parallel, bool op_offload)',
  ggml_backend_sched_free: 'void ggml_backend_sched_free(void* sched)',
  ggml_backend_sched_alloc_graph: 'bool ggml_backend_sched_alloc_graph(void* sched, void* graph)',
  ggml_backend_sched_graph_compute: 'int ggml_backend_sched_graph_compute(void* sched, void* graph)',
  ggml_backend_sched_get_buffer_size: 'size_t ggml_backend_sched_get_buffer_size(void* sched, void* backend)',
} as const;

/** name -> C prototype, in libggml (the registry of backends). */
export const REGISTRY_SYMBOLS = {
  ggml_backend_load_all_from_path: 'void ggml_backend_load_all_from_path(const char* dir)',
  ggml_backend_load: 'void* ggml_backend_load(const char* path)',
  ggml_backend_dev_count: 'size_t ggml_backend_dev_count()',
  ggml_backend_dev_get: 'void* ggml_backend_dev_get(size_t index)',
} as const;

export type SymbolName = keyof typeof BASE_SYMBOLS | keyof typeof REGISTRY_SYMBOLS;
