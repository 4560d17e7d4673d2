"""GGUF models of any shape for measuring memory: every weight is zero and a hole in the file, so they
cost no disk space, but all of their memory once a server has loaded them. What they say is noise.
"""
import dataclasses
import struct

U32, I32, F32, TEXT, ARRAY = 4, 5, 6, 8, 9
ALIGNMENT = 32
# ggml's number, elements in a block, bytes of a block
TYPES = {'f32': (0, 1, 4), 'f16': (1, 1, 2), 'q4_0': (2, 32, 18), 'q8_0': (8, 32, 34),
         'q4_K': (12, 256, 144), 'q6_K': (14, 256, 210)}


@dataclasses.dataclass
class Shape:
    """Of a model; a zero is "what is usual for this architecture"."""
    architecture: str = 'llama'
    layers: int = 4
    width: int = 512
    heads: int = 8
    kv_heads: int = 8
    key_length: int = 0
    value_length: int = 0
    ffn: int = 0
    vocabulary: int = 2048
    context: int = 4096
    weights: str = 'f16'
    experts: int = 0
    experts_used: int = 2
    window: int = 0
    state: int = 16  # mamba's, per inner dimension

    @property
    def keys(self):
        return self.key_length or self.width // self.heads

    @property
    def values(self):
        return self.value_length or self.width // self.heads

    @property
    def inner(self):
        return self.ffn or 4 * self.width


def text(value):
    data = value.encode()
    return struct.pack('<Q', len(data)) + data


def pair(key, kind, value):
    def one(number, item):
        if number == TEXT:
            return text(item)
        return struct.pack({U32: '<I', I32: '<i', F32: '<f'}[number], item)
    if isinstance(value, list):
        return (text(key) + struct.pack('<IIQ', ARRAY, kind, len(value))
                + b''.join(one(kind, item) for item in value))
    return text(key) + struct.pack('<I', kind) + one(kind, value)


def vocabulary(count):
    tokens = ['<unk>', '<s>', '</s>'] + [f'<0x{byte:02X}>' for byte in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    tokens += [f'~{number}~' for number in range(count - len(tokens))]
    kinds += [1] * (count - len(kinds))
    return [pair('tokenizer.ggml.model', TEXT, 'llama'),
            pair('tokenizer.ggml.tokens', TEXT, tokens),
            pair('tokenizer.ggml.scores', F32, [0.0] * count),
            pair('tokenizer.ggml.token_type', I32, kinds),
            pair('tokenizer.ggml.bos_token_id', U32, 1),
            pair('tokenizer.ggml.eos_token_id', U32, 2)]


def metadata(shape):
    numbers = {'context_length': shape.context, 'embedding_length': shape.width,
               'block_count': shape.layers, 'vocab_size': shape.vocabulary}
    if shape.architecture == 'mamba':
        numbers |= {'feed_forward_length': 0, 'attention.head_count': 0, 'ssm.conv_kernel': 4,
                    'ssm.inner_size': 2 * shape.width, 'ssm.state_size': shape.state,
                    'ssm.time_step_rank': shape.width // 16}
    else:
        numbers |= {'feed_forward_length': shape.inner, 'attention.head_count': shape.heads,
                    'attention.head_count_kv': shape.kv_heads,
                    'attention.key_length': shape.keys, 'attention.value_length': shape.values,
                    'rope.dimension_count': shape.keys}
    if shape.window:
        numbers['attention.sliding_window'] = shape.window
    if shape.experts:
        numbers |= {'expert_count': shape.experts, 'expert_used_count': shape.experts_used}
    prefix = shape.architecture
    return ([pair('general.architecture', TEXT, prefix), pair('general.name', TEXT, 'sized')]
            + [pair(f'{prefix}.{key}', U32, value) for key, value in numbers.items()]
            + [pair(f'{prefix}.attention.layer_norm_rms_epsilon', F32, 1e-5)]
            + vocabulary(shape.vocabulary))


def attention(shape, prefix):
    width, kind = shape.width, shape.weights
    yield prefix + 'attn_norm.weight', (width,), 'f32'
    yield prefix + 'attn_q.weight', (width, shape.heads * shape.keys), kind
    yield prefix + 'attn_k.weight', (width, shape.kv_heads * shape.keys), kind
    yield prefix + 'attn_v.weight', (width, shape.kv_heads * shape.values), kind
    yield prefix + 'attn_output.weight', (shape.heads * shape.values, width), kind
    if shape.architecture in ('gemma3', 'qwen3'):
        yield prefix + 'attn_q_norm.weight', (shape.keys,), 'f32'
        yield prefix + 'attn_k_norm.weight', (shape.keys,), 'f32'
    if shape.architecture == 'gemma3':
        yield prefix + 'post_attention_norm.weight', (width,), 'f32'
        yield prefix + 'post_ffw_norm.weight', (width,), 'f32'


def feed_forward(shape, prefix):
    width, inner, kind = shape.width, shape.inner, shape.weights
    yield prefix + 'ffn_norm.weight', (width,), 'f32'
    many = (shape.experts,) if shape.experts else ()
    suffix = '_exps.weight' if shape.experts else '.weight'
    if shape.experts:
        yield prefix + 'ffn_gate_inp.weight', (width, shape.experts), 'f32'
    yield prefix + 'ffn_gate' + suffix, (width, inner) + many, kind
    yield prefix + 'ffn_up' + suffix, (width, inner) + many, kind
    yield prefix + 'ffn_down' + suffix, (inner, width) + many, kind


def mamba(shape, prefix):
    width, inner, rank, kind = shape.width, 2 * shape.width, shape.width // 16, shape.weights
    yield prefix + 'attn_norm.weight', (width,), 'f32'
    yield prefix + 'ssm_in.weight', (width, 2 * inner), kind
    yield prefix + 'ssm_conv1d.weight', (4, inner), 'f32'
    yield prefix + 'ssm_conv1d.bias', (inner,), 'f32'
    yield prefix + 'ssm_x.weight', (inner, rank + 2 * shape.state), kind
    yield prefix + 'ssm_dt.weight', (rank, inner), kind
    yield prefix + 'ssm_dt.bias', (inner,), 'f32'
    yield prefix + 'ssm_a', (shape.state, inner), 'f32'
    yield prefix + 'ssm_d', (inner,), 'f32'
    yield prefix + 'ssm_out.weight', (inner, width), kind


def tensors(shape):
    yield 'token_embd.weight', (shape.width, shape.vocabulary), shape.weights
    yield 'output_norm.weight', (shape.width,), 'f32'
    yield 'output.weight', (shape.width, shape.vocabulary), shape.weights
    for layer in range(shape.layers):
        prefix = f'blk.{layer}.'
        if shape.architecture == 'mamba':
            yield from mamba(shape, prefix)
        else:
            yield from attention(shape, prefix)
            yield from feed_forward(shape, prefix)


def write(path, shape):
    """Writes the model; returns the file's size in bytes, most of it holes."""
    infos, count, offset = b'', 0, 0
    for name, dimensions, kind in tensors(shape):
        number, block, block_bytes = TYPES[kind]
        elements = 1
        for dimension in dimensions:
            elements *= dimension
        infos += text(name) + struct.pack(f'<I{len(dimensions)}QIQ', len(dimensions), *dimensions,
                                          number, offset)
        count += 1
        offset += -(-(elements // block * block_bytes) // ALIGNMENT) * ALIGNMENT
    pairs = metadata(shape)
    head = b'GGUF' + struct.pack('<IQQ', 3, count, len(pairs)) + b''.join(pairs) + infos
    begin = -(-len(head) // ALIGNMENT) * ALIGNMENT
    with open(path, 'wb') as file:
        file.write(head)
        file.truncate(begin + offset)
    return begin + offset
