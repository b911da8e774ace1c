/**
 * Texts of the Romance languages.
 *
 * @module gateway/ladder/explain/texts-romance
 */
import type { Texts } from './texts.ts';

export const FR: Texts = {
  unanswered: "Kith : ceci n'est pas la réponse d'un modèle. Aucun modèle n'a pu répondre à votre question.",
  found:
    "Kith : ceci n'est pas la réponse d'un modèle. Aucun modèle n'a pu répondre ; l'adaptateur de recherche « {source} » a trouvé ceci :",
  help: "Kith : ceci n'est pas la réponse d'un modèle.",
  remedy: 'Ce que vous pouvez faire :',
  wait: 'Cela peut de nouveau fonctionner dans environ {seconds} secondes.',
  code: 'Code :',
  reasons: {
    unreachable: [
      "Aucun backend n'était joignable.",
      'Réessayez plus tard. Le propriétaire de ce nœud peut vérifier les backends avec `kith status` et `kith doctor`, ainsi que le réseau.',
    ],
    late: [
      "Aucun backend n'a répondu à temps.",
      'Réessayez, avec une question plus courte ou un délai plus long.',
    ],
    busy: [
      'Les backends sont occupés ou limitent le nombre de demandes.',
      'Attendez un instant et réessayez.',
    ],
    privacy: [
      "Le niveau de confidentialité de cette demande n'autorise aucun des backends présents.",
      'Utilisez un modèle sur cette machine ou, si le contenu le permet, un niveau moins strict.',
    ],
    region: [
      'Aucun backend ne se trouve dans une région où cette demande peut recevoir une réponse.',
      'Autorisez une autre région, ou ajoutez un backend dans une région autorisée.',
    ],
    budget: [
      'Le budget prévu est épuisé.',
      'Utilisez un modèle sur cette machine, attendez la période suivante ou augmentez le budget.',
    ],
    access: [
      "Un fournisseur n'accepte pas la clé ou le compte de ce nœud.",
      'Le propriétaire de ce nœud peut vérifier la clé et le crédit auprès du fournisseur.',
    ],
    capability: [
      'Aucun backend présent ne sait faire ce que la demande exige.',
      'Demandez sans cela (outils, images, forme imposée), ou choisissez un autre modèle.',
    ],
    length: [
      'La conversation est trop longue pour tous les backends présents.',
      'Raccourcissez-la ou commencez-en une nouvelle.',
    ],
    filtered: [
      'Le fournisseur du modèle a refusé le contenu de cette demande.',
      'Reformulez-la. Kith ne transmet pas une telle demande à un autre backend à votre insu.',
    ],
    model: [
      "Aucun backend n'a le modèle demandé.",
      'Choisissez un des modèles que montre `kith models list`.',
    ],
    failed: [
      'Tous les backends interrogés ont échoué.',
      'Réessayez plus tard. Le propriétaire de ce nœud trouve les causes avec `kith logs` et `kith doctor`.',
    ],
  },
};

export const ES: Texts = {
  unanswered: 'Kith: esto no es la respuesta de un modelo. Ningún modelo pudo responder a la pregunta.',
  found:
    'Kith: esto no es la respuesta de un modelo. Ningún modelo pudo responder; el adaptador de búsqueda «{source}» encontró esto:',
  help: 'Kith: esto no es la respuesta de un modelo.',
  remedy: 'Qué puede hacer:',
  wait: 'Puede volver a funcionar en unos {seconds} segundos.',
  code: 'Código:',
  reasons: {
    unreachable: [
      'No se pudo contactar con ningún backend.',
      'Inténtelo más tarde. El propietario de este nodo puede revisar los backends con `kith status` y `kith doctor`, y la red.',
    ],
    late: [
      'Ningún backend respondió a tiempo.',
      'Inténtelo de nuevo, con una pregunta más corta o un plazo más largo.',
    ],
    busy: [
      'Los backends están ocupados o limitan cuántas veces se les pregunta.',
      'Espere un momento e inténtelo de nuevo.',
    ],
    privacy: [
      'El nivel de privacidad de esta petición no permite ninguno de los backends disponibles.',
      'Use un modelo en este equipo o, si el contenido lo permite, un nivel menos estricto.',
    ],
    region: [
      'Ningún backend está en una región en la que esta petición pueda responderse.',
      'Permita otra región, o añada un backend en una de las permitidas.',
    ],
    budget: [
      'El presupuesto para esto se ha agotado.',
      'Use un modelo en este equipo, espere al próximo período o aumente el presupuesto.',
    ],
    access: [
      'Un proveedor no acepta la clave o la cuenta de este nodo.',
      'El propietario de este nodo puede revisar la clave y el saldo con el proveedor.',
    ],
    capability: [
      'Ningún backend disponible puede hacer lo que pide la petición.',
      'Pregunte sin ello (herramientas, imágenes, forma fija) o elija otro modelo.',
    ],
    length: [
      'La conversación es demasiado larga para todos los backends disponibles.',
      'Acórtela o empiece una nueva.',
    ],
    filtered: [
      'El proveedor del modelo rechazó el contenido de esta petición.',
      'Exprésela de otro modo. Kith no lleva una petición así a otro backend a sus espaldas.',
    ],
    model: [
      'Ningún backend tiene el modelo pedido.',
      'Elija uno de los modelos que muestra `kith models list`.',
    ],
    failed: [
      'Todos los backends consultados fallaron.',
      'Inténtelo más tarde. El propietario de este nodo encuentra las causas con `kith logs` y `kith doctor`.',
    ],
  },
};

export const IT: Texts = {
  unanswered:
    'Kith: questa non è la risposta di un modello. Nessun modello ha potuto rispondere alla domanda.',
  found:
    "Kith: questa non è la risposta di un modello. Nessun modello ha potuto rispondere; l'adattatore di ricerca «{source}» ha trovato questo:",
  help: 'Kith: questa non è la risposta di un modello.',
  remedy: 'Che cosa può fare:',
  wait: 'Potrebbe funzionare di nuovo tra circa {seconds} secondi.',
  code: 'Codice:',
  reasons: {
    unreachable: [
      'Nessun backend era raggiungibile.',
      'Riprovi più tardi. Il proprietario di questo nodo può controllare i backend con `kith status` e `kith doctor`, e la rete.',
    ],
    late: [
      'Nessun backend ha risposto in tempo.',
      'Riprovi, con una domanda più breve o un limite di tempo più lungo.',
    ],
    busy: [
      'I backend sono occupati o limitano la frequenza delle richieste.',
      'Attenda un momento e riprovi.',
    ],
    privacy: [
      'Il livello di riservatezza di questa richiesta non permette nessuno dei backend presenti.',
      'Usi un modello su questa macchina o, se il contenuto lo permette, un livello meno rigido.',
    ],
    region: [
      'Nessun backend si trova in una regione in cui questa richiesta può avere risposta.',
      "Permetta un'altra regione, o aggiunga un backend in una di quelle permesse.",
    ],
    budget: [
      'Il budget previsto è esaurito.',
      'Usi un modello su questa macchina, attenda il prossimo periodo o aumenti il budget.',
    ],
    access: [
      "Un fornitore non accetta la chiave o l'account di questo nodo.",
      'Il proprietario di questo nodo può controllare chiave e credito presso il fornitore.',
    ],
    capability: [
      'Nessun backend presente sa fare ciò che la richiesta chiede.',
      'Chieda senza (strumenti, immagini, forma fissa) o scelga un altro modello.',
    ],
    length: [
      'La conversazione è troppo lunga per tutti i backend presenti.',
      'La accorci o ne cominci una nuova.',
    ],
    filtered: [
      'Il fornitore del modello ha rifiutato il contenuto di questa richiesta.',
      'La formuli in altro modo. Kith non porta una tale richiesta a un altro backend a sua insaputa.',
    ],
    model: [
      'Nessun backend ha il modello richiesto.',
      'Scelga uno dei modelli mostrati da `kith models list`.',
    ],
    failed: [
      'Tutti i backend interpellati hanno fallito.',
      'Riprovi più tardi. Il proprietario di questo nodo trova le cause con `kith logs` e `kith doctor`.',
    ],
  },
};

export const PT: Texts = {
  unanswered: 'Kith: isto não é a resposta de um modelo. Nenhum modelo conseguiu responder à pergunta.',
  found:
    'Kith: isto não é a resposta de um modelo. Nenhum modelo conseguiu responder; o adaptador de pesquisa «{source}» encontrou isto:',
  help: 'Kith: isto não é a resposta de um modelo.',
  remedy: 'O que pode fazer:',
  wait: 'Pode voltar a funcionar dentro de cerca de {seconds} segundos.',
  code: 'Código:',
  reasons: {
    unreachable: [
      'Nenhum backend estava acessível.',
      'Tente mais tarde. O dono deste nó pode verificar os backends com `kith status` e `kith doctor`, e a rede.',
    ],
    late: [
      'Nenhum backend respondeu a tempo.',
      'Tente de novo, com uma pergunta mais curta ou um prazo mais longo.',
    ],
    busy: [
      'Os backends estão ocupados ou limitam a frequência dos pedidos.',
      'Espere um momento e tente de novo.',
    ],
    privacy: [
      'O nível de privacidade deste pedido não permite nenhum dos backends existentes.',
      'Use um modelo nesta máquina ou, se o conteúdo o permitir, um nível menos rígido.',
    ],
    region: [
      'Nenhum backend fica numa região em que este pedido possa ser respondido.',
      'Permita outra região, ou acrescente um backend numa das permitidas.',
    ],
    budget: [
      'O orçamento para isto esgotou-se.',
      'Use um modelo nesta máquina, espere pelo próximo período ou aumente o orçamento.',
    ],
    access: [
      'Um fornecedor não aceita a chave ou a conta deste nó.',
      'O dono deste nó pode verificar a chave e o saldo junto do fornecedor.',
    ],
    capability: [
      'Nenhum backend existente consegue fazer o que o pedido exige.',
      'Pergunte sem isso (ferramentas, imagens, forma fixa) ou escolha outro modelo.',
    ],
    length: [
      'A conversa é demasiado longa para todos os backends existentes.',
      'Encurte-a ou comece uma nova.',
    ],
    filtered: [
      'O fornecedor do modelo recusou o conteúdo deste pedido.',
      'Diga-o de outro modo. O Kith não leva um pedido assim a outro backend sem que o saiba.',
    ],
    model: ['Nenhum backend tem o modelo pedido.', 'Escolha um dos modelos que `kith models list` mostra.'],
    failed: [
      'Todos os backends consultados falharam.',
      'Tente mais tarde. O dono deste nó encontra as causas com `kith logs` e `kith doctor`.',
    ],
  },
};
