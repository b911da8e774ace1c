/**
 * Portuguese cues of danger. See `Cues` for how they are written.
 *
 * @module gateway/ladder/crisis/cues/pt
 */
import type { Cues } from '../cues.ts';

const KIN =
  '(?:marido|esposa|esposo|mulher|companheir[oa]|parceir[oa]|namorad[oa]|amig[oa]|ex|filh[oa]|crianca|bebe|irmao|irma|mae|pai|padrasto|madrasta|avo|vo|tio|tia|prim[oa]|vizinh[oa]|colega)';

const PERSON = `(?:kq|ele|ela|alguem|um homem|uma mulher|uma pessoa|o bebe)`;
const SELF =
  '(?:me matar|matar-me|me suicidar|suicidar-me|morrer|acabar com (?:tudo|a minha vida|minha vida)|tirar (?:a )?minha (?:propria )?vida|tirar a minha vida|me enforcar|dar cabo de mim|pular d[ae]|cometer suicidio)\\b';

export const PT: Cues = {
  kin: `(?:(?:o |a )?(?:meu|minha|nosso|nossa|um|uma|seu|sua)) (?:\\w+ )?${KIN}`,
  not: [
    '(?:enfarte|infarto|avc)\\b[^.!?\\n]{0,20}\\b(?:ha anos|anos atras)\\b|matar-me a (?:trabalhar|estudar)|me matando de (?:trabalhar|estudar|rir)',
    '(?:morrer|morrendo|morro|morto|morta|morri|a morrer) de (?!verdade|dor no)\\w+',
    '(?:chefe|mae|pai|professora?|namorad[oa]|mulher|marido|esposa|pais|treinador)~(?:vai me matar|vai matar-me|me mata|mata-me) (?:se|quando|porque|caso)|(?:calor|bug|trabalho|stress|estresse|dor de cabeca|codigo) (?:\\w+ )?(?:esta )?(?:me matando|a matar-me|me mata)',
    '(?:me bate|bate-me|me ganha|me bateu) (?:sempre )?(?:no|na|em|ao|a)\\b|bate (?:a saudade|na porta|a porta|palmas)|me bate (?:uma )?(?:saudade|vontade|sono)',
    '(?:romance|filme|cancao|musica|personagem|heroi|protagonista|livro|serie|poema|jogo)[^.!?\\n]{0,40}\\b(?:diz|dizia|canta|grita|pensa|se chama|chama-se|intitulad[oa])\\b[^.!?\\n]{0,80}',
    'esquadrao suicida|taxa de suicidio|suicidio assistido|como se (?:diz|traduz|escreve)[^?\\n]{0,80}|suicide squad|(?:quase|por pouco)~(?:infarto|enfarte|ataque)',
    'cort(?:ei|ar|o|a|ado) o (?:cabelo|dedo)|me cortei (?:cozinhando|fazendo|com)',
  ],
  selfHarm: [
    '\\bcomo (?:se matar|suicidar-se|se suicidar|cometer suicidio)\\b',
    '\\b(?:nao|nunca mais) acordar(?: nunca)?(?: mais)?\\b(?! (?:cedo|tarde))|\\bvida (?:ja )?nao (?:faz|tem) (?:mais )?sentido\\b|\\b(?:sou|me sinto|sinto-me) um (?:peso|fardo)\\b|\\bninguem (?:sentiria|ia sentir|vai sentir) (?:a )?minha falta\\b|\\bquero (?:desaparecer|sumir|deixar de existir|estar mort[oa])\\b(?! d[aoe]s? (?:redes|internet))',
    '\\b(?:atirar-me|me jogar|pular|saltar|jogar-me)\\b~\\b(?:ponte|janela|predio|trem|comboio|metro|varanda)\\b|\\b(?:comprimidos|remedios?|dose|veneno)\\b~~\\bpara (?:morrer|me matar)\\b|\\b(?:cortei|corto) os (?:pulsos|bracos)\\b|\\bplane(?:jando|ando|io|jo)\\b~\\bsuicidi?\\w*',
    `\\bkq\\b~~\\b(?:quer (?:se matar|matar-se|suicidar)|vai se matar|enforcar-se|se enforcar|carta de despedida|se machuca)\\b`,
    `\\b(?:quero|queria|vou|penso|pensando|pensar|pensei|vontade|desejo|tentei|planejo|prefiro|preferia|decidi|gostava)\\b~${SELF}`,
    '\\bnao (?:quero|consigo|aguento|posso) (?:mais )?(?:viver|existir|acordar|estar viv[oa]|continuar a viver|continuar vivendo)(?: mais| assim)*(?=[.,!?;\\n]|$| e| mas| porque)',
    '\\b(?:vou me matar|quero me matar|vou matar-me|me mato hoje|vou me suicidar)\\b',
    '\\b(?:pensamentos|ideias|ideacao|ideacoes) (?:suicidas?|de suicidio|de morte)\\b|\\b(?:penso|pensando|pensar) (?:\\w+ ){0,2}em suicidio\\b|\\bmeu suicidio\\b|\\btentei (?:o )?suicidio\\b',
    '\\b(?:me corto|corto-me|me mutilo|mutilo-me|me automutilo)\\b|\\bcort(?:o|ar) os (?:meus )?(?:pulsos|bracos)\\b|\\b(?:me cortar|cortar-me|me machucar de proposito|automutilacao)\\b',
    '\\b(?:melhor|mais felizes) sem mim\\b|\\bse eu (?:nao existisse|morresse|estivesse mort[oa]|sumisse)\\b|\\b(?:razao|motivo|vontade|sentido) (?:para|de|em) (?:viver|continuar viv[oa])\\b|\\bcarta de (?:despedida|suicidio)\\b',
    '\\b(?:forma|maneira|metodo|jeito|modo)\\b~\\b(?:de morrer|de me matar|de se matar|de suicidio)\\b|\\bmorrer sem (?:dor|sofrer)\\b|\\bquantos\\b~~\\b(?:para morrer|letal|mortal)\\b',
    `\\bkq\\b~~\\b(?:se matar|matar-se|suicidar-se|se suicidar|quer morrer|tirar a propria vida|se corta|corta-se|pensamentos suicidas)\\b`,
  ],
  violence: [
    '\\b(?:padrasto|pai|tio|irmao|avo|professor|treinador|primo)\\b~\\b(?:me toca|toca-me|me tocou|abusa de mim|abusou de mim|me obriga a)\\b|\\babus(?:a|ou) de mim\\b|\\bme (?:empurrou|jogou) (?:da|na|no|contra|pela)\\b|\\bmedo (?:de )?que (?:ele|ela) me\\b|\\bme (?:ameaca|persegue)\\b|\\b(?:ameaca|persegue)-me\\b',
    `\\b(?:kq|ele)\\b~\\b(?:me|nos|te) (?:bate|bateu|espanca|espancou|agride|agrediu|estuprou|estupra|violou|enforcou|estrangulou|ameaca|ameacou|chuta|chutou|maltrata|abusa|abusou|deu (?:um )?(?:soco|tapa|murro))\\b`,
    `\\b(?:kq|ele)\\b~\\b(?:bate|bateu|agride|agrediu|ameaca|ameacou|estrangulou|violou|maltrata|espanca)-me\\b`,
    '\\b(?:ameac\\w+|disse|diz|jurou|quer|tentou)\\b~\\b(?:me matar|matar-me|que (?:me mata|vai me matar|me vai matar)|nos matar|matar os meus filhos)\\b',
    `\\bmedo (?:d[oa]|de) (?:kq|voltar para casa|ir para casa|que ele me)\\b|\\bmedo dele\\b`,
    '\\b(?:fui|sou|estou sendo|fui eu) (?:violada?|estuprada?o?|abusad[oa]|espancad[oa]|agredid[oa]|maltratad[oa])\\b|\\bvitima de (?:violencia|abuso|maus-tratos)\\b|\\bsofro (?:violencia|agressoes|maus-tratos)\\b',
    '\\bnao me deixa sair\\b|\\bme (?:trancou|prendeu em casa)\\b|\\b(?:ele|marido|ex|pai)\\b~\\b(?:esta com|tem) (?:uma faca|uma arma|um revolver)\\b',
    '\\b(?:bate|bateu|espanca|agride|abusa|abusou) (?:n[ao]s?|d[ao]s?) (?:minha (?:mae|irma|filha)|meu (?:filho|irmao)|meus filhos|criancas|mae)\\b|\\bbate em mim\\b',
  ],
  medical: [
    '\\b(?:a|estou a|esta a) ter um (?:enfarte|avc|ataque)|\\b(?:dificuldade|custa-me|custa) (?:em |para |a )?respirar\\b|\\b(?:tomei|tomou) (?:\\d{2,}|dez|vinte|trinta|quarenta) comprimidos\\b|\\b(?:esta|tendo|a ter) (?:uma )?convuls\\w+|\\bde repente nao consegue (?:falar|mexer)',
    '\\b(?:tomei|tomou|engoli|engoliu|ingeri|ingeriu)\\b~\\b(?:inteir[oa]|tod[oa]s?|caixa|frasco|muitos|demasiados|cartela|\\d{2,})\\b~(?:comprimidos|remedios?|paracetamol|medicamentos|calmantes|soniferos)',
    '\\b(?:bebeu|bebi|engoliu|tomou|engoli)\\b~\\b(?:lixivia|agua sanitaria|veneno|detergente|pilha|bateria|chumbinho)\\b|\\boverdose\\b~\\b(?:teve|tomei|de|tomou)\\b(?! de (?:chocolate|series|acucar))',
    '\\bnao (?:esta|consegue|consigo) (?:a )?respira(?:r|ndo)\\b|\\bnao respira\\b|\\bparou de respirar\\b',
    `\\b${PERSON}\\b~~\\b(?:inconsciente|desmaiou|desmaiad[oa]|nao (?:responde|reage|acorda)|desacordad[oa]|ficando rox[oa]|ficando azul)\\b`,
    '\\b(?:forte|intensa|muita|terrivel)\\b~dor no peito|\\bdor(?:es)? (?:\\w+ )?no peito\\b~~(?:braco|respir|mandibula|forte|ar)',
    `\\b(?:${PERSON}|eu|estou|esta)\\b~\\b(?:tendo|ter|teve)\\b~(?:um |uma )(?:infarto|enfarte|avc|ataque cardiaco|derrame|convulsao)\\b`,
    '\\b(?:sangra(?:ndo)? (?:muito|demais)|a sangrar muito|nao para de sangrar|hemorragia)\\b(?! de (?:votos|dinheiro))',
    `\\b${PERSON}\\b~\\b(?:engasgad[oa]|engasgou|sufocando|a sufocar)\\b|\\b(?:boca|rosto)\\b~\\b(?:tort[oa]|paralisad[oa])\\b|\\bgarganta (?:esta )?(?:fechando|inchando|a fechar)\\b`,
  ],
};
