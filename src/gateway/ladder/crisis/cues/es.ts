/**
 * Spanish cues of danger. See `Cues` for how they are written.
 *
 * @module gateway/ladder/crisis/cues/es
 */
import type { Cues } from '../cues.ts';

const KIN =
  '(?:marido|esposo|esposa|mujer|pareja|novio|novia|amigo|amiga|ex|hijo|hija|nino|nina|bebe|hermano|hermana|madre|mama|padre|papa|padrastro|madrastra|abuelo|abuela|tio|tia|primo|prima|vecino|vecina|companer[oa])';

const PERSON = `(?:kq|el|ella|alguien|un hombre|una mujer|una persona|el bebe|la bebe)`;
const SELF =
  '(?:matarme|suicidarme|quitarme la vida|ahorcarme|pegarme un tiro|tirarme (?:de|desde|por|al)|acabar con (?:todo|mi vida)|terminar con (?:todo|mi vida)|morir(?:me)?)\\b';

export const ES: Cues = {
  kin: `(?:mi|mis|nuestr[oa]|un|una|su) (?:\\w+ )?${KIN}`,
  not: [
    '(?:infarto|derrame|ictus)\\b[^.!?\\n]{0,20}\\b(?:hace (?:\\w+ )?anos)',
    'me peg(?:o|aron|a) (?:su|la|el|una?|unos|fuerte|mucho|el virus)\\b',
    '(?:muero|morir|morirme|muerto|muerta|muriendo|morime) (?:de|por) (?!verdad|dolor)\\w+',
    '(?:calor|bug|error|codigo|frio|trabajo|proyecto|estres|ruido|sueno|espera|dolor de cabeza|examen) (?:\\w+ )?me (?:esta matando|mata)|me mata (?:siempre )?(?:en el|de|la curiosidad)',
    '(?:jefe|jefa|madre|mama|padre|papa|profe\\w*|novia|novio|mujer|marido|esposa|padres|entrenador)~(?:me va a matar|me mata|va a matarme) (?:si|cuando|porque)',
    '(?:gana|pega|golpea) (?:al|en el|en la|a la puerta|mucho el)|me pega (?:mucho )?(?:el sol|la nostalgia|con)|me pego (?:el|la) (?:gripe|resfriado|catarro)',
    '(?:novela|pelicula|cancion|personaje|heroe|protagonista|libro|serie|poema|juego)[^.!?\\n]{0,40}\\b(?:dice|decia|canta|grita|piensa|se llama|titulad[oa])\\b[^.!?\\n]{0,80}',
    'escuadron suicida|tasa de suicidio|suicidio asistido|como se (?:dice|traduce|escribe)[^?\\n]{0,80}|suicide squad',
    '(?:casi|por poco)~(?:infarto|ataque al corazon)|infarto (?:cuando|al ver)',
    'cort(?:e|o|ar|arme|ado) (?:el|la) (?:pelo|cabello|luz|una|dedo)|me corte (?:cocinando|afeit|el pelo|con)|me he cortado (?:el pelo|cocinando|con)',
  ],
  selfHarm: [
    '\\b(?:como|forma de|manera de)\\b~\\b(?:suicidarse|matarse|ahorcarse)\\b',
    '\\b(?:planeando|considerando|queriendo|intentando|planeado|plan para|a punto de|decidida a|decidido a)\\b~\\b(?:suicidarme|matarme|quitarme la vida|ahorcarme|morir)\\b|\\b(?:quiero|quisiera) (?:desaparecer|no despertar|dejar de existir|estar muert[oa])\\b(?! de (?:las redes|facebook|google|instagram))',
    '\\b(?:vida|vivir) (?:ya )?no (?:tiene|vale)\\b~\\b(?:sentido|la pena)\\b|\\bsentido a (?:la|mi) vida\\b|\\bno despertar (?:nunca )?mas\\b|\\bsoy una carga\\b|\\bnadie me (?:echaria de menos|extranaria)\\b|\\b(?:saltar|tirarme|lanzarme) (?:del?|desde|al|a las vias)\\b~\\b(?:puente|edificio|balcon|tren|metro|azotea|vias)\\b',
    '\\b(?:pastillas|dosis|veneno|medicamentos)\\b~~\\b(?:para (?:morir|matarme|suicidarme)|letal)\\b|\\bme (?:he cortado|corte) (?:los brazos|las venas|las munecas|las piernas)\\b',
    `\\bkq\\b~~\\b(?:se (?:va a|quiere|intento) (?:matar|suicidar|ahorcar|tirar)|hacerse dano|ahorcarse|carta de despedida)\\b`,
    `\\b(?:quiero|quisiera|voy a|deseo|pienso|pensando|pensado|ganas|intente|intentado|planeo|prefiero|decidido|preferiria|queria)\\b~${SELF}`,
    '\\bno (?:quiero|puedo|deseo) (?:seguir )?(?:viviendo|vivir|existir|despertar|estar viv[oa])(?: mas| asi)*(?=[.,!?;\\n]|$| y| pero| porque)|\\bya no quiero (?:vivir|existir|seguir|despertar)\\b(?! (?:en|con|aqui))',
    '\\bme (?:voy a|quiero|quisiera|pienso) (?:suicidar|matar|morir|ahorcar|quitar la vida)\\b',
    '\\b(?:tengo|tuve|mis|con)\\b~\\b(?:pensamientos|ideas|ideacion)\\b~\\b(?:suicidas?|de suicidio|de muerte|de matarme)|\\b(?:pienso|pensando|pensado) (?:\\w+ ){0,2}en (?:el )?suicidio\\b(?! de)|\\bme siento suicida\\b|\\bmi suicidio\\b|\\bsoy suicida\\b',
    '\\bme corto (?:los|las|la|el)? ?(?:brazos?|munecas?|piernas?|venas|piel|cuando|cada|todas)|\\bcortarme (?:los brazos|las venas|las munecas)|\\bme (?:autolesiono|hago dano|lastimo a mi mism[oa])\\b|\\b(?:autolesionarme|hacerme dano)\\b',
    '\\b(?:mejor|mas felices) sin mi\\b|\\bsi (?:yo )?(?:no estuviera|estuviera muert[oa]|me muriera)\\b|\\b(?:no tengo|sin) (?:ninguna )?(?:razon|ganas|motivos?) (?:para|de) vivir\\b|\\bcarta (?:de despedida|suicida)\\b',
    '\\b(?:forma|manera|metodo|modo)\\b~\\b(?:de morir|de suicidarse|de suicidarme|de matarme)\\b|\\bmorir sin dolor\\b|\\bcuant[oa]s\\b~~\\b(?:para morir|letal|mortal)\\b|\\bcomo (?:puedo )?(?:suicidarme|matarme)\\b',
    `\\bkq\\b~~\\b(?:quitarse la vida|suicidarse|matarse|se quiere (?:matar|morir|suicidar)|quiere morir(?:se)?|se corta|autolesiona|pensamientos suicidas)\\b`,
  ],
  violence: [
    `\\b(?:kq|el)\\b~\\bme (?:dio|da|ha dado)\\b~\\b(?:bofetad\\w+|punetazo\\w*|golpe\\w*|patad\\w+|paliza)\\b`,
    '\\babus(?:a|o|aba) de (?:mi|nosotr[oa]s)\\b(?! (?:confianza|paciencia|tiempo|hospitalidad|amabilidad))|\\b(?:padrastro|padre|tio|hermano|abuelo|profesor|entrenador|primo)\\b~\\bme (?:toca|toco|obliga a|manosea|manoseo)\\b|\\bme (?:empujo|tiro) (?:por las escaleras|contra la pared|al suelo)\\b',
    '\\bme (?:sigue|acosa|persigue)\\b~~\\b(?:matar|amenaz\\w+|casa|miedo)\\b|\\bmiedo (?:de|a) que (?:me|nos) (?:mate|pegue|haga)\\b',
    `\\b(?:kq|el)\\b~\\b(?:me|nos) (?:pega|pego|golpea|golpeo|maltrata|estrangulo|ahorco|ahorca|violo|viola|abusa|abuso|patea|amenaza|agredio|agrede|abofeteo)\\b(?! con (?:irse|dejarme))`,
    '\\b(?:amenaz\\w+|dijo|dice|jura|juro|quiere|intento|intenta)\\b~(?:matarme|matarnos|que me (?:va a matar|mata|mataria|matara)|me (?:va a|iba a) matar|hacerme dano)\\b',
    '\\b(?:el|marido|novio|ex|esposo|padre) me (?:va a|quiere) matar\\b',
    `\\b(?:miedo|terror) (?:de|a|por) (?:kq|volver a casa|ir a casa|mi vida|que me mate)\\b`,
    '\\b(?:me|fui|he sido|soy) (?:violaron|violo|violad[oa]|abusaron|abusad[oa]|agredid[oa] sexualmente|maltratad[oa])\\b|\\bsoy victima de (?:violencia|maltrato|abuso)\\b|\\b(?:sufro|vivo) (?:violencia|maltrato)\\b',
    '\\bno me deja salir\\b|\\bme (?:encerro|tiene encerrad[oa])\\b|\\b(?:el|marido|novio|ex|padre)\\b~\\btiene (?:un cuchillo|un arma|una pistola)\\b|\\bescondid[oa]\\b~\\b(?:de el|de mi)\\b',
    '\\b(?:pega|golpea|maltrata|viola|abusa de) a (?:mi (?:madre|mama|hermana|hijo|hija)|mis hijos|los ninos)\\b',
  ],
  medical: [
    '\\b(?:me|le) cuesta (?:mucho )?respirar\\b|\\b(?:dolor|dolores|duele|presion)\\b~\\b(?:en el|el|de) pecho\\b~~\\b(?:brazo|respir\\w*|mandibula|sudor|aire)\\b|\\bmuy fuerte en el pecho\\b',
    '\\b(?:tome|tomo|tomado|trague|trago)\\b~\\b(?:diez|quince|veinte|treinta|cuarenta|\\d{2,}) (?:pastillas|comprimidos|paracetamol\\w*|tabletas)\\b|\\b(?:esta|tiene|teniendo) (?:convulsion\\w*|convulsionando)\\b|\\bno puede (?:hablar|moverse) de repente\\b|\\bde repente no puede (?:hablar|mover)',
    '\\b(?:tomar|tomado|tome|tomo|trague|trago|tragado|tomarme|ingirio|tomarse)\\b~\\b(?:enter[oa]|tod[oa]s?|frasco|caja|muchas|demasiadas|bote|blister|\\d{2,})\\b~(?:pastillas|somniferos|paracetamol|medicamentos|comprimidos|tabletas|antidepresivos)',
    '\\b(?:bebi|bebio|tomo|trago|trague|bebido)\\b~\\b(?:lejia|cloro|veneno|anticongelante|raticida|pila|detergente)\\b|\\bsobredosis\\b~\\b(?:tuvo|tome|de|ha)\\b(?! de (?:azucar|chocolate|series))',
    `\\b(?:${PERSON}|yo)?\\b~\\bno (?:respira|puede respirar|puedo respirar|esta respirando)\\b(?! de la risa| con (?:esta|este|la|el)| por la nariz)|\\bdejo de respirar\\b`,
    `\\b${PERSON}\\b~~\\b(?:inconsciente|desmayad[oa]|no (?:responde|reacciona|despierta)|se desmayo|se desplomo|se esta poniendo azul)\\b`,
    '\\b(?:fuerte|intenso|mucho|agudo|terrible)\\b~dolor (?:en el|de) pecho|\\bdolor (?:\\w+ )?(?:en el|de) pecho\\b~~(?:brazo|respir|mandibula|fuerte|aire)',
    `\\b(?:${PERSON}|yo|me|le)\\b~\\b(?:esta dando|tiene|teniendo|estoy teniendo|dio|da)\\b~(?:un |una )(?:infarto|ataque al corazon|derrame|ictus|convulsion\\w*)\\b`,
    '\\b(?:sangra (?:mucho|demasiado)|no (?:para|deja) de sangrar|sangrando mucho|desangra\\w*)\\b',
    `\\b(?:${PERSON}) se (?:esta )?(?:ahogando|ahoga|asfixia|asfixiando|atraganto|atragantado)\\b|\\b(?:cara|boca)\\b~\\b(?:torcida|caida|paralizada)\\b|\\bse me cierra la garganta\\b`,
  ],
};
