/**
 * A BERT cross-encoder in double precision, written down straight from the paper (arXiv 1810.04805) and the head of
 * transformers' `BertForSequenceClassification`: nothing of the engine is in it. Slow: for checks.
 *
 * @module test/reference/bert-rank
 */
import { type CodecType, dequantise, fileSource, readGguf, tensorType } from '../../src/models/gguf/index.ts';

export interface ReferenceRanker {
  /** The logit of a row of token ids; tokens from `second` on are of segment B where the model has segments. */
  logit(tokens: ArrayLike<number>, second: number): number;
}

type Vector = Float64Array;

/** @param gelu how GELU is computed: by the error function, as models are trained, or by its usual approximation with tanh */
export async function referenceRanker(path: string, gelu: 'erf' | 'tanh' = 'erf'): Promise<ReferenceRanker> {
  await using source = await fileSource(path);
  const gguf = await readGguf(source);
  const tensors = new Map<string, Float32Array>();
  for (const { name, type, offset, bytes } of gguf.tensors.values()) {
    const codec = tensorType(type)!.name as CodecType;
    tensors.set(name, dequantise(codec, await source.read(offset, bytes)));
  }
  const number = (key: string) => Number(gguf.metadata.get(`bert.${key}`)!.value);
  const [e, blocks, heads] = [
    number('embedding_length'),
    number('block_count'),
    number('attention.head_count'),
  ];
  const epsilon = number('attention.layer_norm_epsilon');
  const d = e / heads;
  const activate = gelu === 'erf' ? geluErf : geluTanh;
  const get = (name: string) => tensors.get(name)!;

  function linear(name: string, x: Vector): Vector {
    const weight = get(`${name}.weight`);
    const bias = tensors.get(`${name}.bias`);
    const out = new Float64Array(weight.length / x.length);
    for (let row = 0; row < out.length; row++) {
      let sum = bias === undefined ? 0 : bias[row]!;
      for (let i = 0; i < x.length; i++) sum += weight[row * x.length + i]! * x[i]!;
      out[row] = sum;
    }
    return out;
  }

  function norm(name: string, x: Vector): Vector {
    const mean = x.reduce((a, b) => a + b) / e;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / e;
    const [weight, bias] = [get(`${name}.weight`), get(`${name}.bias`)];
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * weight[i]! + bias[i]!);
  }

  function attend(q: Vector, keys: readonly Vector[], values: readonly Vector[]): Vector {
    const out = new Float64Array(e);
    for (let head = 0; head < heads; head++) {
      const at = head * d;
      const scores = keys.map((key) => {
        let sum = 0;
        for (let i = at; i < at + d; i++) sum += q[i]! * key[i]!;
        return sum / Math.sqrt(d);
      });
      const most = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - most));
      const all = shares.reduce((a, b) => a + b);
      for (const [token, share] of shares.entries())
        for (let i = at; i < at + d; i++) out[i]! += (share / all) * values[token]![i]!;
    }
    return out;
  }

  const plus = (a: Vector, b: Vector): Vector => a.map((value, i) => value + b[i]!);

  return {
    logit(tokens, second) {
      const types = tensors.get('token_types.weight');
      let states = Array.from(tokens, (token, position) => {
        const segment = position < second ? 0 : 1;
        const x = Float64Array.from(
          { length: e },
          (_, i) =>
            get('token_embd.weight')[token * e + i]! +
            get('position_embd.weight')[position * e + i]! +
            (types === undefined ? 0 : types[segment * e + i]!),
        );
        return norm('token_embd_norm', x);
      });
      for (let block = 0; block < blocks; block++) {
        const p = `blk.${block}.`;
        const [keys, values] = ['attn_k', 'attn_v'].map((name) => states.map((x) => linear(p + name, x))) as [
          Vector[],
          Vector[],
        ];
        states = states.map((x) => {
          const mixed = attend(linear(`${p}attn_q`, x), keys, values);
          const mid = norm(`${p}attn_output_norm`, plus(linear(`${p}attn_output`, mixed), x));
          const fed = linear(`${p}ffn_down`, linear(`${p}ffn_up`, mid).map(activate));
          return norm(`${p}layer_output_norm`, plus(fed, mid));
        });
      }
      let x = states[0]!;
      if (tensors.has('cls.weight')) x = linear('cls', x).map(Math.tanh);
      return linear('cls.output', x)[0]!;
    },
  };
}

const geluTanh = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const geluErf = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** By its series near zero and its continued fraction further out: 1e-14. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 60; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)));
}
