import { interop } from '../suite.ts';

interop('rust');
